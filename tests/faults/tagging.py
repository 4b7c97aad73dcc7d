"""Events that can be found again: the origin is the event's id, so is the cookie, and the price follows from it.

One row of the sums then says how often this very event was counted, and one profile holds this very event alone.
"""

import json
import zlib

from bench.events import START_MS
from schemas import codec, tags, timestamps

_STEP_MS = 97  # a few thousand events to the hour's 37,000: the tables of several hours are made while faults happen
_PRICES = 10_000_000


def price(name: str) -> int:
    """What event `name` adds to the sums of prices."""
    return zlib.crc32(name.encode()) % (2 * _PRICES) - _PRICES


def tag(name: str, number: int) -> tags.UserTag:
    """Event `name`, the `number`th of its kind."""
    action = tags.ACTIONS[number % 2]
    time = START_MS + number * _STEP_MS
    return tags.UserTag(time, name, "PL", "PC", action, name, number, "brand", "category", price(name))


def is_sent(found: tags.UserTag) -> bool:
    """Whether `found` is, in every field, the event that its cookie names; the product is the event's number."""
    return isinstance(found.product_id, int) and found == tag(found.cookie, found.product_id)


def record(name: str, number: int) -> tuple[bytes, bytes]:
    """(key, value) of its record in the log, as the gateway writes it."""
    made = tag(name, number)
    return codec.encode_item(tags.item_of(made)), codec.encode_tag(made)


def body(name: str, number: int) -> bytes:
    """The body that a client posts."""
    made = tag(name, number)
    product = {name: getattr(made, name) for name in ("product_id", "brand_id", "category_id", "price")}
    rest = {name: getattr(made, name) for name in ("cookie", "country", "device", "action", "origin")}
    return json.dumps({"time": timestamps.format_tag_time(made.time), **rest, "product_info": product}).encode()
