"""What the stores hold, by event: see tagging."""

import psycopg

from runtime.settings import DatabaseSettings
from tests.faults import tagging

_SUMS = "SELECT origin, sum(count)::bigint, sum(sum_price)::bigint FROM aggregates GROUP BY origin"
_PROFILES = "SELECT cookie, count(*) FROM profile_tags GROUP BY cookie"
_MINUTES = """
      WITH items AS (SELECT "time", action, sum(count) AS count, sum(sum_price) AS price
                       FROM aggregates GROUP BY 1, 2),
           totals AS (SELECT "time", action, sum(count) AS count, sum(sum_price) AS price
                       FROM minute_totals GROUP BY 1, 2)
    SELECT "time"::text, action, items.count, items.price, totals.count, totals.price
      FROM items FULL JOIN totals USING ("time", action)
     WHERE (items.count, items.price) IS DISTINCT FROM (totals.count, totals.price)
"""
_OFFSETS = "SELECT partition, next_offset FROM pipeline_offsets"


def counted(database: DatabaseSettings) -> dict[str, int]:
    """`{id: how often its event is in the sums}`."""
    with psycopg.connect(database.conninfo()) as conn:
        return {name: count for name, count, _ in conn.execute(_SUMS)}


def profiled(database: DatabaseSettings) -> dict[str, int]:
    """`{id: entries of its profile}`."""
    with psycopg.connect(database.conninfo()) as conn:
        return dict(conn.execute(_PROFILES).fetchall())


def disagreements(database: DatabaseSettings) -> list[str]:
    """Sentences: sums of prices that do not fit their counts, minutes whose totals are not those of their items."""
    with psycopg.connect(database.conninfo()) as conn:
        wrong = [name for name, count, price in conn.execute(_SUMS) if price != count * tagging.price(name)]
        minutes = conn.execute(_MINUTES).fetchall()
    return [
        f"{len(found)} {what}, for example {found[:3]}"
        for what, found in (
            ("sums of prices do not fit their counts", wrong),
            ("minutes and actions have items and totals that differ", [" ".join(map(str, row)) for row in minutes]),
        )
        if found
    ]


def offsets(conn: psycopg.Connection) -> dict[int, int]:
    """`{partition: next offset to count}`, of a database that one group counts one topic into."""
    return dict(conn.execute(_OFFSETS).fetchall())
