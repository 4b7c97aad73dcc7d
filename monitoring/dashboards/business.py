"""Business: what is looked at and bought, straight from PostgreSQL. No user is in any of it."""

from pathlib import Path
from typing import Final

from monitoring.dashboards.boards import Board, Kind, Panel, Query, Row
from stores import queries

_SQL: Final = queries.parse(Path(__file__).with_suffix(".sql").read_text("utf-8"))
_MINUTE: Final = "1m"


def _figure(title: str, description: str, query: str, unit: str = "short", kind: Kind = "stat") -> Panel:
    return Panel(title, description, (_query(query),), kind, unit, width=8, height=4 if kind == "stat" else 12)


def _query(name: str) -> Query:
    return Query(_SQL[name], source="postgres")


BOARD: Final = Board(
    uid="allezone-business",
    title="business",
    description="Views, buys and revenue by the minute of the event, as PostgreSQL has counted them: exact, and "
    "complete a minute after the event. A test stream has times of its own: choose the range that it plays in.",
    rows=(
        Row(
            "In the range shown",
            (
                _figure("Views and buys", "How many events of each kind there were.", "totals"),
                _figure("Revenue", "Sum of the prices of what was bought, in the unit of the prices.", "revenue"),
                _figure("Buys for each view", "How many of the views became a buy.", "buys_per_view", "percentunit"),
            ),
        ),
        Row(
            "Minute by minute",
            (
                Panel(
                    title="Views and buys a minute",
                    description="Events by the minute that they happened in. The last minute is not complete yet.",
                    queries=(_query("events_per_minute"),),
                    interval=_MINUTE,
                    width=12,
                ),
                Panel(
                    title="Revenue a minute",
                    description="Sum of the prices of what was bought, in the unit of the prices.",
                    queries=(_query("revenue_per_minute"),),
                    interval=_MINUTE,
                    width=12,
                ),
            ),
        ),
        Row(
            "The last ten minutes shown",
            (
                _figure("Top origins by buys", "Campaigns that led to the most buys.", "top_origins", kind="bargauge"),
                _figure("Top origins by revenue", "Campaigns that brought in most.", "origin_revenue", kind="bargauge"),
                _figure("Top brands by revenue", "Brands that brought in most.", "top_brands", kind="bargauge"),
            ),
        ),
    ),
    refresh="1m",
)
