"""What went wrong with a request, in the log: by the id that its client got with the answer.

By the error's class, for its words may hold a cookie; what a driver says of a store that is away stands in the line of
the dependency (gateway/health.py).
"""

from typing import Final

from broker import errors as broker_errors
from gateway import answers, rate_limit
from runtime import logging, trace_context

LINES_A_SECOND: Final = 50
"""More tell nobody more: without Kafka every event fails, and the log would turn over within minutes."""

_log = logging.get_logger(__name__)


class Failures:
    """Tells of requests that get a 503, so many a second at most; each line says how many before it were left out.

    Defects have a limit of their own: a store that is away must not hide them.
    """

    def __init__(self, limit: rate_limit.RateLimit) -> None:
        self._limit = limit
        self._left_out = {True: 0, False: 0}

    def tell(self, endpoint: str, traceparent: bytes, error: Exception) -> None:
        """A request of this endpoint failed; a defect is told with the place in the code."""
        foreseen = answers.foreseen(error)
        if self._limit.take("foreseen" if foreseen else "defect"):
            self._left_out[foreseen] += 1
            return
        left_out, self._left_out[foreseen] = self._left_out[foreseen], 0
        trace_id = trace_context.request_id(traceparent).decode()
        if not foreseen:
            _log.error("unexpected error", endpoint=endpoint, trace_id=trace_id, left_out=left_out, exc_info=error)
            return
        what = type(error).__name__
        reason = error.reason if isinstance(error, broker_errors.ProduceError) else ""
        _log.warning(
            "request failed", endpoint=endpoint, trace_id=trace_id, error=what, reason=reason, left_out=left_out
        )


FAILURES: Final = Failures(rate_limit.RateLimit(LINES_A_SECOND, burst_s=2.0))
"""One for the process, as its log is."""
