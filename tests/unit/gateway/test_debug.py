"""The comparison never changes an answer, whatever is expected."""

import json
import tracemalloc
from typing import Any

import pytest

from gateway import asgi, debug, errors, metrics
from gateway.settings import GatewaySettings
from runtime import trace_context

MEGABYTE = 1024 * 1024
SCOPE = {"path": "/aggregates", "query_string": b"", asgi.TRACEPARENT: trace_context.new()}
GIVEN = json.dumps({"columns": [], "rows": []}).encode()


def _debugger(**more: Any) -> debug.Debugger:
    return debug.Debugger(GatewaySettings.model_validate({"environment": "local", "debug_queries": True, **more}))


def _sender(chunks: int, size: int) -> asgi.Receive:
    """A client that sends a body in so many chunks of `size` bytes."""
    left = iter(range(chunks - 1, -1, -1))

    async def receive() -> asgi.Message:
        return {"type": "http.request", "body": bytes(size), "more_body": next(left) > 0}

    return receive


async def test_with_the_mode_off_nothing_of_a_body_is_kept() -> None:
    debugger = _debugger(debug_queries=False)
    tracemalloc.start()
    try:
        assert await debugger.read_expected(_sender(64, 64 * 1024)) == b""
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < MEGABYTE / 4


async def test_with_the_mode_on_it_is_the_body() -> None:
    assert len(await _debugger().read_expected(_sender(64, 64 * 1024))) == 4 * MEGABYTE


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_body_over_the_limit_is_refused_either_way(enabled: bool) -> None:
    debugger = _debugger(debug_queries=enabled, debug_max_body_bytes=100_000)

    assert len(await debugger.read_expected(_sender(10, 10_000))) == (100_000 if enabled else 0)
    for chunks, size in ((10, 10_001), (1, 100_001), (1_000_000, 1_000)):
        with pytest.raises(errors.BodyTooLarge):
            await debugger.read_expected(_sender(chunks, size))


@pytest.mark.parametrize("enabled", [True, False])
async def test_a_client_that_goes_in_the_middle_of_a_body_is_noticed_either_way(enabled: bool) -> None:
    messages: list[asgi.Message] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> asgi.Message:
        return messages.pop(0)

    with pytest.raises(errors.ClientGone):
        await _debugger(debug_queries=enabled).read_expected(receive)


async def _newest(debugger: debug.Debugger) -> Any:
    return json.loads(bytes((await debugger.mismatches()).body))["mismatches"][0]


@pytest.mark.parametrize("opening", [b'{"columns":', b'{"x":'])
async def test_bodies_nested_as_deep_as_can_be_decoded_are_mismatches(opening: bytes) -> None:
    debugger = _debugger()
    for depth in range(800, 1100):
        debugger.check_aggregates(SCOPE, opening + b"[" * depth + b"]" * depth + b"}", GIVEN)
        debugger.check_profile(SCOPE, opening + b"[" * depth + b"]" * depth + b"}", b'{"cookie":"c"}')

    assert json.loads(bytes((await debugger.mismatches()).body))["total"] == 600


async def test_a_comparison_that_fails_is_a_broken_body_and_its_message_stays_inside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(expected: Any, given: Any) -> list[str]:
        raise KeyError("cookie-17")  # noqa: EM101 - as a dict raises it

    monkeypatch.setattr("gateway.comparison.of_aggregates", fail)
    debugger = _debugger()

    debugger.check_aggregates(SCOPE, b"{}", GIVEN)

    newest = await _newest(debugger)
    assert newest["kind"] == "broken_body"
    assert newest["difference"] == ["the expected answer cannot be compared: KeyError"]


def test_what_the_mode_counts_is_there_from_zero_while_it_is_on_and_not_while_it_is_off() -> None:
    """Absent, it tells the simulator that the mode is off; from zero, it shows an alert the first wrong answer."""
    metrics.DEBUG_ANSWERS.clear()
    _debugger(debug_queries=False)
    assert _counted() == []
    _debugger()
    assert _counted() == [0.0] * 6


def _counted() -> list[float]:
    [family] = metrics.DEBUG_ANSWERS.collect()
    return [sample.value for sample in family.samples]
