"""What a dashboard is made of: rows of panels, each of which shows the answers to some queries."""

from dataclasses import dataclass, field
from typing import Literal

Source = Literal["prometheus", "postgres"]
Kind = Literal["timeseries", "stat", "bargauge", "table"]
# "above": good is what lies at the value or above it. "below": good is what lies below the value. "exactly", of what is
# counted: good is the value alone.
Good = Literal["above", "below", "exactly"]


@dataclass(frozen=True)
class Query:
    """One question. `text` is PromQL, or SQL with Grafana's macros; `legend` names its lines, `{{label}}` in it."""

    text: str
    legend: str = ""
    source: Source = "prometheus"


@dataclass(frozen=True)
class Objective:
    """Where good ends: drawn as a line into a graph, as the colour of a figure."""

    value: float
    good: Good


@dataclass(frozen=True)
class Panel:
    """One picture. `description` says what is seen and what to do about it; `unit` is one of Grafana's names.

    `width` of 24 columns, `height` in Grafana's units of 30 pixels. `decimals` None: as many as Grafana thinks fit.
    `lowest` and `highest` are the ends of the axis. `interval` is the shortest step, as "1m". `alerts` are the names of
    those that fire by what is seen here: each has a page in docs/operations/alerts/.
    """

    title: str
    description: str
    queries: tuple[Query, ...]
    kind: Kind = "timeseries"
    unit: str = "short"
    objective: Objective | None = None
    width: int = 8
    height: int = 8
    decimals: int | None = None
    lowest: float | None = 0
    highest: float | None = None
    stacked: bool = False
    interval: str | None = None
    no_value: str | None = None
    alerts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """Panels under one heading, laid out from left to right in as many lines as they take."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Variable:
    """A choice at the top of a dashboard among a label's values in a series; all of them unless chosen."""

    name: str
    title: str
    metric: str

    @property
    def query(self) -> str:
        """In Grafana's words for Prometheus."""
        return f"label_values({self.metric}, {self.name})"


@dataclass(frozen=True)
class Board:
    """One dashboard. `uid` is its address and the name of its file: it stays. `since` is the range shown at first."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = field(default=())
    since: str = "now-1h"
    refresh: str = "30s"
