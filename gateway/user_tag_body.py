"""The body of `POST /user_tags` as a `UserTag`, or what is wrong with it.

Two readings of one contract. This one is fast and knows only good from bad: msgspec checks types, ranges and lengths
while it parses, and what it lets through (U+0000, more than 512 bytes, times that are none) is checked here. A bad body
is read again by `complaints`, which names every bad field. A property test holds the two together.
"""

from typing import NoReturn

from gateway import complaints, errors
from schemas import tags, wire


def parse(body: bytes, now_ms: int) -> tags.UserTag:
    """The tag. Raises `errors.Malformed` and `errors.Invalid`.

    A field given twice counts with its last value, if every value given is a good one.
    """
    try:
        # msgspec does not look into strings that it skips; JSON is UTF-8 throughout.
        if not body.isascii():
            body.decode("utf-8")
        tag = wire.to_tag(wire.decode(body))
    except (ValueError, RecursionError) as error:
        _refuse(body, now_ms, error)
    # Neither can be in a short body without the escape: most bodies need no look at each string.
    if (len(body) > wire.MAX_BYTES or b"\\u0000" in body) and wire.unfit_text(tag):
        _refuse(body, now_ms, None)
    if tag.time > now_ms + wire.MAX_AHEAD_MS:
        _refuse(body, now_ms, None)
    return tag


def _refuse(body: bytes, now_ms: int, error: Exception | None) -> NoReturn:
    """Read the body again, slowly, and say what is wrong with it."""
    found = complaints.about(body, now_ms)
    if not found:  # the two readings disagree: an error of ours, answered with what the fast one said
        found = [errors.FieldError(("body",), f"the body is no user tag: {error}", "user_tag")]
    raise errors.Invalid(found) from error
