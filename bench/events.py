"""A topic full of events with nearly distinct keys, and what their sums must be.

Event time advances 1 ms an event; 1,000 origins, 250 brands and 67 categories make 33 million keys a minute, so nearly
every event is a row of its own: the hardest case for whoever writes them.
"""

import random
from collections.abc import Callable, Iterator, Mapping

import psycopg
from confluent_kafka import Producer

from runtime import trace_context
from schemas import codec, tags

START_MS = 1_647_951_300_000  # 2022-03-22T12:15:00Z
Item = tuple[int, str, str, str, str]
Sums = dict[Item, tuple[int, int]]
"""`{(minute, action, origin, brand_id, category_id): (count, sum of prices)}`."""

_ORIGINS = [f"campaign_{number}" for number in range(1_000)]
_BRANDS = [f"brand_{number}" for number in range(250)]
_CATEGORIES = [f"category_{number}" for number in range(67)]


def make(count: int, seed: int) -> Iterator[tags.UserTag]:
    """`count` events, the same ones for the same seed."""
    pick = random.Random(seed)  # noqa: S311
    for number in range(count):
        yield tags.UserTag(
            START_MS + number,
            f"cookie_{pick.randrange(1_000_000)}",
            "PL",
            pick.choice(tags.DEVICES),
            pick.choice(tags.ACTIONS),
            pick.choice(_ORIGINS),
            pick.randrange(1_000_000),
            pick.choice(_BRANDS),
            pick.choice(_CATEGORIES),
            pick.randrange(-10_000, 10_000_000),
        )


def produce(bootstrap: str, topic: str, count: int, seed: int, also: Callable[[int], None] = lambda _: None) -> Sums:
    """Put `count` events into `topic` and give the sums that they make. `also` is called with each event's number."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 5, "compression.type": "lz4",
         "queue.buffering.max.messages": 1_000_000}
    )  # fmt: skip
    sums: Sums = {}
    for number, tag in enumerate(make(count, seed)):
        _send(producer, topic, tag)
        add(sums, tag)
        also(number)
    left = producer.flush(60)
    if left:
        message = f"{left} events were not acknowledged"
        raise RuntimeError(message)
    return sums


def add(sums: Sums, tag: tags.UserTag) -> None:
    """Count `tag`."""
    item = (tag.time // tags.MILLIS_PER_MINUTE, tag.action, tag.origin, tag.brand_id, tag.category_id)
    count, price = sums.get(item, (0, 0))
    sums[item] = (count + 1, price + tag.price)


def totals(sums: Mapping[Item, tuple[int, int]]) -> tuple[int, int]:
    """Events and their prices altogether."""
    return sum(count for count, _ in sums.values()), sum(price for _, price in sums.values())


def counted(conn: psycopg.Connection) -> tuple[int, int]:
    """What the minute totals of a database add up to: cheap enough to be asked many times a second."""
    row = conn.execute("SELECT coalesce(sum(count), 0), coalesce(sum(sum_price), 0) FROM minute_totals").fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def stored(conn: psycopg.Connection) -> Sums:
    """Every sum that a database holds."""
    rows = conn.execute(
        "SELECT extract(epoch FROM time)::bigint / 60, action, origin, brand_id, category_id, count, sum_price"
        "  FROM aggregates"
    )
    return {(minute, *names): (int(count), int(price)) for minute, *names, count, price in rows}


def difference(expected: Sums, found: Sums) -> tuple[int, int]:
    """(lost, doubled): events of `expected` that `found` lacks, and events of `found` that `expected` lacks.

    A sum of prices that differs where the counts agree is one of each.
    """
    lost = doubled = 0
    for item in expected.keys() | found.keys():
        wanted, has = expected.get(item, (0, 0)), found.get(item, (0, 0))
        wrong_sum = int(wanted[0] == has[0] and wanted[1] != has[1])
        lost += max(0, wanted[0] - has[0]) + wrong_sum
        doubled += max(0, has[0] - wanted[0]) + wrong_sum
    return lost, doubled


def _send(producer: Producer, topic: str, tag: tags.UserTag) -> None:
    key, value = codec.encode_item(tags.item_of(tag)), codec.encode_tag(tag)
    headers: list[tuple[str, str | bytes | None]] = [(trace_context.HEADER, trace_context.new())]  # as the gateway does
    while True:
        try:
            producer.produce(topic, value, key, headers=headers)
        except BufferError:
            producer.poll(0.1)
        else:
            return
