"""What the stores hold, by event: see tagging."""

from collections.abc import Sequence
from typing import NamedTuple

import psycopg

from runtime.settings import DatabaseSettings
from schemas import codec, errors, tags
from stores import profiles
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
_ENTRIES = """
    SELECT cookie, action, entry_key, value
      FROM profile_tags
     WHERE NOT EXISTS (SELECT FROM dead_letters WHERE dead_letters.value = profile_tags.value)
"""  # what the sums alone refused stands in profiles as it came
_ITEMS = """
    SELECT (extract(epoch FROM "time") / 60)::bigint, action, origin, brand_id, category_id FROM aggregates
"""
_TIME_BYTES = 8
_OFFSETS = "SELECT partition, next_offset FROM pipeline_offsets"


class Entry(NamedTuple):
    """Of a profile: `key` begins with the time, `value` is the encoded event."""

    cookie: str
    action: str
    key: bytes
    value: bytes


def counted(database: DatabaseSettings) -> dict[str, int]:
    """`{id: how often its event is in the sums}`."""
    with psycopg.connect(database.conninfo()) as conn:
        return {name: count for name, count, _ in conn.execute(_SUMS)}


def profiled(database: DatabaseSettings) -> dict[str, int]:
    """`{id: entries of its profile}`."""
    with psycopg.connect(database.conninfo()) as conn:
        return dict(conn.execute(_PROFILES).fetchall())


def disagreements(database: DatabaseSettings) -> list[str]:
    """Sentences: sums of prices that do not fit their counts, minutes whose totals are not those of their items.

    And entries of profiles that are not what was sent, and sums under another minute or action than their event's.
    """
    with psycopg.connect(database.conninfo()) as conn:
        wrong = [name for name, count, price in conn.execute(_SUMS) if price != count * tagging.price(name)]
        minutes = conn.execute(_MINUTES).fetchall()
        entries = list(map(Entry._make, conn.execute(_ENTRIES)))
        items = [tags.AggregatesItem(*row) for row in conn.execute(_ITEMS)]
    return [
        f"{len(found)} {what}, for example {found[:3]}"
        for what, found in (
            ("sums of prices do not fit their counts", wrong),
            ("minutes and actions have items and totals that differ", [" ".join(map(str, row)) for row in minutes]),
            ("entries of profiles are not the events that were sent", strangers(entries)),
            ("sums are not under the keys of their events", misplaced(items, entries)),
        )
        if found
    ]


def strangers(entries: Sequence[Entry]) -> list[str]:
    """The cookies of entries that hold anything but the event that was sent, or hold it in another place."""
    return [entry.cookie for entry in entries if _event(entry) is None]


def misplaced(items: Sequence[tags.AggregatesItem], entries: Sequence[Entry]) -> list[str]:
    """The ids of events that are counted under another key than theirs, as far as profiles have them."""
    events = {event.cookie: event for event in map(_event, entries) if event is not None}
    return [each.origin for each in items if each.origin in events and tags.item_of(events[each.origin]) != each]


def _event(entry: Entry) -> tags.UserTag | None:
    """What the entry holds; None where that was never sent."""
    try:
        found = codec.decode_tag(entry.value)
    except errors.UndecodableRecord:
        return None
    place = (found.cookie, found.action, profiles.entry_key(found.time, None, 0, 0)[:_TIME_BYTES])
    is_there = place == (entry.cookie, entry.action, entry.key[:_TIME_BYTES])
    return found if is_there and tagging.is_sent(found) else None


def offsets(conn: psycopg.Connection) -> dict[int, int]:
    """`{partition: next offset to count}`, of a database that one group counts one topic into."""
    return dict(conn.execute(_OFFSETS).fetchall())
