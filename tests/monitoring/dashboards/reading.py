"""Dashboards read from their files alone, as Grafana reads them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from devstack import paths

FOLDER = paths.PROJECT / "monitoring" / "grafana" / "dashboards"

Json = dict[str, Any]


class Question(NamedTuple):
    """One query of one panel. `source` is a datasource's uid; `interval` the panel's shortest step, if it has one."""

    board: str
    row: str
    panel: str
    letter: str
    source: str
    text: str
    legend: str
    instant: bool
    interval: str | None

    def __str__(self) -> str:
        return f"{self.board}: {self.row}: {self.panel} ({self.letter})"


def names() -> list[str]:
    """Of all files, without their ending."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def board(name: str) -> Json:
    return read(FOLDER / f"{name}.json")


def read(path: Path) -> Json:
    found: Json = json.loads(path.read_text("utf-8"))
    return found


def panels(dashboard: Json) -> Iterator[tuple[str, Json]]:
    """Each panel with the title of the row that it stands in."""
    row = ""
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
        else:
            yield row, panel


def questions(name: str) -> list[Question]:
    """Every query of a dashboard, in the order in which it stands there."""
    return [
        Question(
            board=name,
            row=row,
            panel=panel["title"],
            letter=target["refId"],
            source=target["datasource"]["uid"],
            text=target.get("expr") or target["rawSql"],
            legend=target.get("legendFormat", ""),
            instant=bool(target.get("instant")),
            interval=panel.get("interval"),
        )
        for row, panel in panels(board(name))
        for target in panel["targets"]
    ]
