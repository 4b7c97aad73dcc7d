"""The four promises as the overview's file tells of them to somebody who has nothing else: rows, figures, colours."""

import re
from typing import Any, Final, NamedTuple

from tests.monitoring.dashboards import reading

_TITLE: Final = re.compile(r"Promise (\d), (\w+): (.+)")
_BAD: Final = "red"


class Figure(NamedTuple):
    """One figure of a promise, the query that gives it, and from where on up to where it is red."""

    legend: str
    query: str
    red_from: float | None
    red_below: float | None

    def is_red(self, value: float) -> bool:
        """By the colour that Grafana gives it."""
        if self.red_from is not None:
            return value >= self.red_from
        return self.red_below is not None and value < self.red_below


class Promise(NamedTuple):
    """A row. `objective` is its title's, in words."""

    number: int
    name: str
    objective: str
    figures: tuple[Figure, ...]


def all_of_them() -> list[Promise]:
    """In the order of their rows."""
    rows: dict[str, list[reading.Json]] = {}
    for row, panel in reading.panels(reading.board("overview")):
        rows.setdefault(row, []).append(panel)
    named = ((_TITLE.fullmatch(row), panels) for row, panels in rows.items())
    return [
        Promise(int(title[1]), title[2], title[3], _figures(panels[0])) for title, panels in named if title is not None
    ]


def drawn(promise: Promise) -> list[float]:
    """The objectives that are lines in the graphs of its row."""
    panels = [
        panel for row, panel in reading.panels(reading.board("overview")) if row.startswith(f"Promise {promise.number}")
    ]
    return [
        step["value"]
        for panel in panels
        if panel["fieldConfig"]["defaults"]["custom"].get("thresholdsStyle", {}).get("mode", "off") != "off"
        for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1:]
    ]


def _figures(panel: reading.Json) -> tuple[Figure, ...]:
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return tuple(Figure(each["legendFormat"], each["expr"], *_red(steps)) for each in panel["targets"])


def _red(steps: list[Any]) -> tuple[float | None, float | None]:
    """Where red begins, and where it ends, of two steps, the first of which has no lower end."""
    _, second = steps
    return (second["value"], None) if second["color"] == _BAD else (None, second["value"])
