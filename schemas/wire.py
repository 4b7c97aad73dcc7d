"""A user tag in the API's JSON: the form in which it is posted, answered, and mended by an operator."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from schemas import tags, timestamps

MAX_CHARACTERS: Final = 256
MAX_BYTES: Final = 512
"""Of each string, in UTF-8."""
MAX_AHEAD_MS: Final = 24 * 3600 * 1000
"""How far ahead of the clock an event time may lie."""

_MAX_UTF8: Final = 4  # bytes a character

_Text = Annotated[str, Meta(min_length=1, max_length=MAX_CHARACTERS)]
_Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class ProductInfo(msgspec.Struct, gc=False):
    """What the action was about."""

    product_id: _Text | _Int64
    brand_id: _Text
    category_id: _Text
    price: _Int32


class Tag(msgspec.Struct, gc=False):
    """Types, ranges and lengths are checked by `decode`; U+0000, bytes and the form of `time` are not."""

    time: str
    cookie: _Text
    country: _Text
    device: Literal["PC", "MOBILE", "TV"]
    action: Literal["VIEW", "BUY"]
    origin: _Text
    product_info: ProductInfo


decode = msgspec.json.Decoder(Tag).decode
"""JSON as a Tag. Raises ValueError (msgspec.DecodeError, msgspec.ValidationError) and RecursionError."""


def to_tag(found: Tag) -> tags.UserTag:
    """The tag that `found` says. Raises `errors.InvalidTimestamp`."""
    product = found.product_info
    return tags.UserTag(
        timestamps.parse_tag_time(found.time),
        found.cookie,
        found.country,
        found.device,
        found.action,
        found.origin,
        product.product_id,
        product.brand_id,
        product.category_id,
        product.price,
    )


def of_tag(tag: tags.UserTag) -> Tag:
    """The inverse of `to_tag`, but for the event id, which the API does not show."""
    product = ProductInfo(tag.product_id, tag.brand_id, tag.category_id, tag.price)
    time = timestamps.format_tag_time(tag.time)
    return Tag(time, tag.cookie, tag.country, tag.device, tag.action, tag.origin, product)  # type: ignore[arg-type]


def unfit_text(tag: tags.UserTag) -> str | None:
    """The name of a string that `decode` lets through and no store takes: with U+0000, or too long in UTF-8."""
    for name in ("cookie", "country", "origin", "product_id", "brand_id", "category_id"):
        text = getattr(tag, name)
        if isinstance(text, str) and ("\0" in text or _too_long(text)):
            return name
    return None


def _too_long(text: str) -> bool:
    return len(text) > MAX_BYTES // _MAX_UTF8 and len(text.encode()) > MAX_BYTES
