"""The overview's file alone says which of the four promises is broken. promtool plays an hour of each."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from tests.monitoring.dashboards import expansion, promises
from tests.monitoring.dashboards.promises import Figure, Promise
from tests.support import programs

HOUR: Final = expansion.Shown(0, 3_600, 15)
DURATION: Final = "allezone_gateway_request_duration_seconds"
FRESHNESS: Final = "allezone_pipeline_freshness_seconds"
REQUESTS: Final = "allezone_gateway_requests_total"
ENDPOINTS: Final = ("/user_tags", "/user_profiles/{cookie}", "/aggregates")

# What each counter grows by in 15 seconds of an hour in which all is well.
WELL: Final[Mapping[str, float]] = {
    f'{REQUESTS}{{endpoint="/user_tags", status="204"}}': 15_000,
    f'{REQUESTS}{{endpoint="/user_tags", status="503"}}': 1,
    f'{REQUESTS}{{endpoint="/user_tags", status="422"}}': 5_000,
    **{f'{DURATION}_count{{endpoint="{each}"}}': 1_000 for each in ENDPOINTS},
    **{f'{DURATION}_bucket{{endpoint="{each}", le="0.2"}}': 999 for each in ENDPOINTS},
    **{f'{FRESHNESS}_count{{service="{each}"}}': 100 for each in ("profiles", "aggregates")},
    f'{FRESHNESS}_bucket{{service="profiles", le="10.0"}}': 100,
    f'{FRESHNESS}_bucket{{service="aggregates", le="60.0"}}': 100,
    'allezone_gateway_debug_answers_total{endpoint="/aggregates", result="match"}': 10,
    'allezone_gateway_debug_answers_total{endpoint="/aggregates", result="mismatch"}': 0,
    'allezone_pipeline_dead_letters_total{reason="undecodable"}': 0,
    "allezone_pipeline_jumped_offsets_total": 0,
}
# What is otherwise where one is broken, by its number and what happens. 0.005 makes one of a kind in the hour.
BROKEN: Final[Mapping[tuple[int, str], Mapping[str, float]]] = {
    (1, "events are refused"): {f'{REQUESTS}{{endpoint="/user_tags", status="503"}}': 100},
    (2, "profiles are slow"): {f'{DURATION}_bucket{{endpoint="{ENDPOINTS[1]}", le="0.2"}}': 980},
    (3, "profiles are late"): {f'{FRESHNESS}_bucket{{service="profiles", le="10.0"}}': 98},
    (3, "aggregates are late"): {f'{FRESHNESS}_bucket{{service="aggregates", le="60.0"}}': 98},
    (4, "an answer is wrong"): {
        'allezone_gateway_debug_answers_total{endpoint="/aggregates", result="mismatch"}': 0.005
    },
    (4, "a record is stepped over"): {'allezone_pipeline_dead_letters_total{reason="undecodable"}': 0.005},
    (4, "offsets are jumped"): {"allezone_pipeline_jumped_offsets_total": 1},
}


def test_each_promise_is_a_row_that_says_its_objective_and_draws_it_in() -> None:
    found = promises.all_of_them()

    assert [(each.number, each.name) for each in found] == [
        (1, "availability"),
        (2, "latency"),
        (3, "freshness"),
        (4, "exactness"),
    ]
    assert [sorted(set(promises.drawn(each))) for each in found] == [[0.999], [0.2, 0.99], [0.99, 10, 60], [1]]
    for promise, words in zip(found, (["99.9 %"], ["99 %", "200 ms"], ["99 %", "10 s", "60 s"], ["0 "]), strict=True):
        assert all(word in promise.objective for word in words), promise


def test_nothing_is_red_where_all_is_well(tmp_path: Path) -> None:
    _see_red(set(), WELL, tmp_path)


@pytest.mark.parametrize(("promise", "what"), BROKEN)
def test_the_promise_that_is_broken_is_red_and_no_other(promise: int, what: str, tmp_path: Path) -> None:
    _see_red({promise}, {**WELL, **BROKEN[promise, what]}, tmp_path)


def _see_red(numbers: set[int], growth: Mapping[str, float], folder: Path) -> None:
    """Exactly the first panels of these promises are red after an hour in which counters grew like this."""
    (promtool,) = programs.require("promtool")
    expected = [
        {
            "eval_time": "1h",
            "expr": _any_red(promise),
            "exp_samples": [{"labels": "{}", "value": int(promise.number in numbers)}],
        }
        for promise in promises.all_of_them()
    ]
    file = folder / "hour.json"
    file.write_text(json.dumps({"tests": [{**_played(growth), "promql_expr_test": expected}]}))
    done = subprocess.run(
        [promtool, "test", "rules", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _played(growth: Mapping[str, float]) -> dict[str, Any]:
    series = [{"series": name, "values": f"0+{step}x240"} for name, step in growth.items()]
    return {"interval": "15s", "input_series": series}


def _any_red(promise: Promise) -> str:
    """1 if a figure of the first panel is red, else 0; nothing if one of them has no value."""
    return f"clamp_max({' + '.join(_red(figure) for figure in promise.figures)}, 1)"


def _red(figure: Figure) -> str:
    asked = expansion.promql(figure.query, HOUR, HOUR.step(), {})
    comparison = f">= bool {figure.red_from}" if figure.red_from is not None else f"< bool {figure.red_below}"
    return f"max(({asked}) {comparison})"
