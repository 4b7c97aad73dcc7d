"""The four promises as the overview's file tells of them to somebody who has nothing else: rows, figures, colours."""

import itertools
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from tests.monitoring.dashboards import figures, reading

_TITLE: Final = re.compile(r"Promise (\d), (\w+): (.+)")
# The panels of a row that say whether its promise is kept.
_SAYING: Final = re.compile(r"Promise (\d) .+")


class Promise(NamedTuple):
    """A row. `objective` is its title's, in words."""

    number: int
    name: str
    objective: str
    figures: tuple[figures.Figure, ...]


def all_of_them() -> list[Promise]:
    """In the order of their rows."""
    rows: dict[str, list[reading.Json]] = {}
    for row, panel in reading.panels(reading.board("overview")):
        rows.setdefault(row, []).append(panel)
    named = ((_TITLE.fullmatch(row), panels) for row, panels in rows.items())
    return [
        Promise(int(title[1]), title[2], title[3], tuple(_figures(int(title[1]), panels)))
        for title, panels in named
        if title is not None
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


def _figures(number: int, panels: list[reading.Json]) -> Iterator[figures.Figure]:
    """Those of the panels that are called after the promise: the first ones of its row, and figures, not graphs."""
    titles = [_SAYING.fullmatch(panel["title"]) for panel in panels]
    saying = list(itertools.takewhile(lambda each: each[1] is not None, zip(panels, titles, strict=True)))
    assert [title for title in titles if title is not None] == [title for _, title in saying]
    for panel, title in saying:
        assert (panel["type"], title and int(title[1])) == ("stat", number), panel["title"]
        yield from figures.of(panel)
