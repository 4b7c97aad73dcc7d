"""The values that travel through the system: the event, and what it is counted under."""

from typing import Final

import msgspec

ACTIONS: Final = ("VIEW", "BUY")
DEVICES: Final = ("PC", "MOBILE", "TV")
MILLIS_PER_MINUTE: Final = 60_000


class UserTag(msgspec.Struct, frozen=True, gc=False):
    """One action of one user.

    `time` is event time in milliseconds since 1970-01-01T00:00:00Z, `price` an int32. `product_id` keeps the type it
    came with. `event_id` is the sender's own name for the event, None where it gave none.
    """

    time: int
    cookie: str
    country: str
    device: str
    action: str
    origin: str
    product_id: int | str
    brand_id: str
    category_id: str
    price: int
    event_id: str | None = None


class AggregatesItem(msgspec.Struct, frozen=True, gc=False):
    """What an event is counted under; `minute` is event time in whole minutes since 1970-01-01T00:00:00Z."""

    minute: int
    action: str
    origin: str
    brand_id: str
    category_id: str


def item_of(tag: UserTag) -> AggregatesItem:
    """The aggregates item that `tag` is counted under."""
    return AggregatesItem(tag.time // MILLIS_PER_MINUTE, tag.action, tag.origin, tag.brand_id, tag.category_id)
