"""Debug mode: queries that carry the expected answer, compared with the given one, counted, logged and kept.

The comparison never changes an answer. A body that is no JSON, or cannot be compared, is a mismatch of its own kind.
"""

import collections
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from fastapi import Response

from gateway import asgi, comparison, endpoints, errors, metrics
from gateway.settings import GatewaySettings
from runtime import logging, trace_context

_log = logging.get_logger(__name__)
_MAX_KEPT_BYTES: Final = 256 * 1024

Compare = Callable[[Any, Any], list[str]]


class Mismatch(msgspec.Struct, frozen=True):
    """One query whose answer was not the expected one; `kind` is `mismatch` or `broken_body`."""

    at: datetime
    kind: str
    query: str
    expected: msgspec.Raw
    given: msgspec.Raw
    difference: list[str]


class Debugger:
    """Compares, or with debug mode off does nothing."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.enabled: Final = settings.debug_queries
        # With the mode off too: an expected answer is ignored then, and not refused for its size.
        self._max_body_bytes: Final = settings.debug_max_body_bytes
        self._kept: collections.deque[Mismatch] = collections.deque(maxlen=settings.debug_mismatches_kept)
        self._total = 0
        if self.enabled:
            metrics.start_debug_answers()

    async def read_expected(self, receive: asgi.Receive) -> bytes:
        """The body of a query; with the mode off nothing of it is kept, and it counts as empty.

        Raises `errors.BodyTooLarge` and `errors.ClientGone`.
        """
        if self.enabled:
            return await asgi.read_body(receive, self._max_body_bytes)
        await asgi.pass_over_body(receive, self._max_body_bytes)
        return b""

    def check_profile(self, scope: asgi.Scope, expected: bytes, given: bytes) -> None:
        """Compare the answer to a profile query with what its body expects, if it has one."""
        self._check(endpoints.USER_PROFILES, scope, expected, given, comparison.of_profiles)

    def check_aggregates(self, scope: asgi.Scope, expected: bytes, given: bytes) -> None:
        """Compare the answer to an aggregates query with what its body expects, if it has one."""
        self._check(endpoints.AGGREGATES, scope, expected, given, comparison.of_aggregates)

    async def mismatches(self) -> Response:
        """`GET /debug/mismatches`: the newest first, and how many there were since the start."""
        if not self.enabled:
            message = "debug mode is off: DEBUG_QUERIES=true turns it on"
            raise errors.NotFound(message)
        body = {"total": self._total, "mismatches": list(reversed(self._kept))}
        return Response(msgspec.json.encode(body), media_type="application/json")

    def _check(self, endpoint: str, scope: asgi.Scope, expected: bytes, given: bytes, compare: Compare) -> None:
        if not self.enabled or not expected.strip():
            return
        kind, difference = _compared(expected, given, compare)
        metrics.DEBUG_ANSWERS.labels(endpoint, kind).inc()
        if difference:
            trace_id = trace_context.request_id(asgi.traceparent(scope)).decode()
            _log.warning(
                "answer is not the expected one",
                endpoint=endpoint,
                trace_id=trace_id,
                kind=kind,
                difference=difference,
            )
            self._keep(scope, kind, expected, given, difference)

    def _keep(self, scope: asgi.Scope, kind: str, expected: bytes, given: bytes, difference: list[str]) -> None:
        self._total += 1
        query = f"{scope['path']}?{scope['query_string'].decode('latin-1')}"
        wanted = msgspec.json.encode(expected.decode("utf-8", "replace")) if kind == "broken_body" else expected
        self._kept.append(Mismatch(datetime.now(UTC), kind, query, _kept(wanted), _kept(given), difference))


def _compared(expected: bytes, given: bytes, compare: Compare) -> tuple[str, list[str]]:
    """The kind of result, and the difference in words."""
    try:
        wanted = msgspec.json.decode(expected)
    except (ValueError, RecursionError) as error:
        return "broken_body", [f"the expected answer is not JSON: {error}"]
    try:
        difference = compare(wanted, msgspec.json.decode(given))
    except Exception as error:  # whatever a client expects, it gets its answer; an error's message may hold a cookie
        return "broken_body", [f"the expected answer cannot be compared: {type(error).__name__}"]
    return "mismatch" if difference else "match", difference


def _kept(answer: bytes) -> msgspec.Raw:
    """The answer, or word of its size: what is kept is bounded."""
    if len(answer) <= _MAX_KEPT_BYTES:
        return msgspec.Raw(answer)
    return msgspec.Raw(msgspec.json.encode(f"omitted: {len(answer)} bytes"))
