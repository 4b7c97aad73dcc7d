"""A user tag as the API's JSON, for an operator who mends one: what `POST /user_tags` takes, and nothing else."""

import time

import msgspec

from schemas import wire
from schemas.tags import UserTag


def parse(body: bytes) -> UserTag:
    """The tag. Raises ValueError with a message that names the field."""
    tag = wire.to_tag(wire.decode(body))
    if tag.time > time.time() * 1000 + wire.MAX_AHEAD_MS:
        message = "time: more than 24 hours ahead"
        raise ValueError(message)
    if name := wire.unfit_text(tag):
        message = f"{name} contains U+0000, or has more than {wire.MAX_BYTES} bytes of UTF-8"
        raise ValueError(message)
    return tag


def shown(tag: UserTag) -> str:
    """The tag as `parse` takes it, over several lines."""
    return msgspec.json.format(msgspec.json.encode(wire.of_tag(tag)), indent=2).decode()
