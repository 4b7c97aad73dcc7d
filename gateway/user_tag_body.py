"""The body of `POST /user_tags` as a `UserTag`, or what is wrong with it.

Two readings of one contract. This one is fast and knows only good from bad: msgspec checks types, ranges and lengths
while it parses, and what it lets through (U+0000, more than 512 bytes, times that are none) is checked here. A bad body
is read again by `complaints`, which names every bad field. A property test holds the two together.
"""

from typing import Annotated, Final, Literal, NoReturn

import msgspec
from msgspec import Meta

from gateway import complaints, errors, fields
from schemas import tags, timestamps

_MAX_UTF8: Final = 4  # bytes a character

_Text = Annotated[str, Meta(min_length=1, max_length=fields.MAX_CHARACTERS)]
_Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class _ProductInfo(msgspec.Struct, gc=False):
    product_id: _Text | _Int64
    brand_id: _Text
    category_id: _Text
    price: _Int32


class _Body(msgspec.Struct, gc=False):
    time: str
    cookie: _Text
    country: _Text
    device: Literal["PC", "MOBILE", "TV"]
    action: Literal["VIEW", "BUY"]
    origin: _Text
    product_info: _ProductInfo


_decode = msgspec.json.Decoder(_Body).decode


def parse(body: bytes, now_ms: int) -> tags.UserTag:
    """The tag. Raises `errors.Malformed` and `errors.Invalid`.

    A field given twice counts with its last value, if every value given is a good one.
    """
    try:
        # msgspec does not look into strings that it skips; JSON is UTF-8 throughout.
        if not body.isascii():
            body.decode("utf-8")
        found = _decode(body)
        time_ms = timestamps.parse_tag_time(found.time)
    except (ValueError, RecursionError) as error:
        _refuse(body, now_ms, error)
    product = found.product_info
    tag = tags.UserTag(
        time_ms,
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
    # Neither can be in a short body without the escape: most bodies need no look at each string.
    if len(body) > fields.MAX_BYTES or b"\\u0000" in body:
        _check_strings(tag, body, now_ms)
    if time_ms > now_ms + complaints.MAX_AHEAD_MS:
        _refuse(body, now_ms, None)
    return tag


def _check_strings(tag: tags.UserTag, body: bytes, now_ms: int) -> None:
    product_id = tag.product_id if isinstance(tag.product_id, str) else ""
    for text in (tag.cookie, tag.country, tag.origin, product_id, tag.brand_id, tag.category_id):
        if "\0" in text or (len(text) > fields.MAX_BYTES // _MAX_UTF8 and len(text.encode()) > fields.MAX_BYTES):
            _refuse(body, now_ms, None)


def _refuse(body: bytes, now_ms: int, error: Exception | None) -> NoReturn:
    """Read the body again, slowly, and say what is wrong with it."""
    found = complaints.about(body, now_ms)
    if not found:  # the two readings disagree: an error of ours, answered with what the fast one said
        found = [errors.FieldError(("body",), f"the body is no user tag: {error}", "user_tag")]
    raise errors.Invalid(found) from error
