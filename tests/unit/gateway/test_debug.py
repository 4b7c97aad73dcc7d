"""The comparison never changes an answer, whatever is expected."""

import json
from typing import Any

import pytest

from gateway import debug
from gateway.settings import GatewaySettings

SCOPE = {"path": "/aggregates", "query_string": b""}
GIVEN = json.dumps({"columns": [], "rows": []}).encode()


def _debugger() -> debug.Debugger:
    return debug.Debugger(GatewaySettings.model_validate({"environment": "local", "debug_queries": True}))


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
