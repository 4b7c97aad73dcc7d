"""Single figures of dashboards: from where on each is red, and promtool's word on which are after an hour."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.monitoring.dashboards import expansion, hours, reading
from tests.support import programs

_SHOWN: Final = expansion.Shown(0, hours.SECONDS, hours.STEP)
_BAD: Final = "red"


class Figure(NamedTuple):
    """One figure, the query that gives it, from where on it is red, and below what; at least one of them."""

    legend: str
    query: str
    red_from: float | None
    red_below: float | None

    def is_red(self, value: float) -> bool:
        """By the colour that Grafana gives it."""
        above = self.red_from is not None and value >= self.red_from
        return above or (self.red_below is not None and value < self.red_below)

    @property
    def any_red(self) -> str:
        """PromQL: 1 if a value is red at the end of the hour, else 0; nothing if there is none."""
        asked = expansion.promql(self.query, _SHOWN, _SHOWN.step(), {})
        comparisons = {">=": self.red_from, "<": self.red_below}
        red = [f"(({asked}) {sign} bool {end})" for sign, end in comparisons.items() if end is not None]
        return f"max({' + '.join(red)})"


def of(panel: reading.Json) -> Iterator[Figure]:
    """Those of a panel that has an objective: colours that change from step to step, the first has no lower end."""
    first, *others = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [step["color"] == _BAD for step in others] in ([True], [False], [False, True]), panel["title"]
    assert (first["color"] == _BAD) != (others[0]["color"] == _BAD), panel["title"]
    ends = {step["color"] == _BAD: step["value"] for step in others}
    red = (ends.get(True), ends.get(False))
    for target in panel["targets"]:
        yield Figure(f"{panel['title']}: {target['legendFormat']}", target["expr"], *red)


def play(hour: hours.Hour, rules: Sequence[Path], values: Mapping[str, int], folder: Path) -> None:
    """Fails unless each expression, of one value without labels, has the one that is told at the end of the hour."""
    (promtool,) = programs.require("promtool")
    file = folder / "hour.json"
    told = {"rule_files": [str(path) for path in rules], "evaluation_interval": f"{hours.STEP}s"}
    file.write_text(json.dumps({**told, "tests": [_case(hour, values)]}))
    done = subprocess.run(
        [promtool, "test", "rules", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _case(hour: hours.Hour, values: Mapping[str, int]) -> dict[str, Any]:
    return {
        "interval": f"{hours.STEP}s",
        "input_series": [{"series": name, "values": each} for name, each in hour.items()],
        "promql_expr_test": [
            {"eval_time": f"{hours.SECONDS}s", "expr": expr, "exp_samples": [{"labels": "{}", "value": value}]}
            for expr, value in values.items()
        ],
    }
