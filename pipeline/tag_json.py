"""A user tag as the API's JSON, for an operator who mends one: what `POST /user_tags` takes, and nothing else."""

import json
import time
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from schemas import timestamps
from schemas.tags import UserTag

MAX_AHEAD_MS: Final = 24 * 3600 * 1000
_MAX_BYTES: Final = 512

_Text = Annotated[str, Meta(min_length=1, max_length=256)]
_Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class _ProductInfo(msgspec.Struct):
    product_id: _Text | _Int64
    brand_id: _Text
    category_id: _Text
    price: _Int32


class _Tag(msgspec.Struct):
    time: str
    cookie: _Text
    country: _Text
    device: Literal["PC", "MOBILE", "TV"]
    action: Literal["VIEW", "BUY"]
    origin: _Text
    product_info: _ProductInfo


def parse(body: bytes) -> UserTag:
    """The tag. Raises ValueError with a message that names the field."""
    found = msgspec.json.decode(body, type=_Tag)
    time_ms = timestamps.parse_tag_time(found.time)
    if time_ms > time.time() * 1000 + MAX_AHEAD_MS:
        message = f"time: {found.time} is more than 24 hours ahead"
        raise ValueError(message)
    product = msgspec.structs.asdict(found.product_info)
    fields = {name: value for name, value in msgspec.structs.asdict(found).items() if name != "product_info"}
    _check_texts(fields | product)
    return UserTag(**(fields | product | {"time": time_ms}))


def shown(tag: UserTag) -> str:
    """The tag as `parse` takes it, over several lines."""
    fields = msgspec.structs.asdict(tag)
    product = {name: fields.pop(name) for name in ("product_id", "brand_id", "category_id", "price")}
    del fields["event_id"]
    fields["time"] = timestamps.format_tag_time(tag.time)
    return json.dumps({**fields, "product_info": product}, indent=2, ensure_ascii=False)


def _check_texts(fields: dict[str, Any]) -> None:
    for name, text in fields.items():
        if not isinstance(text, str):
            continue
        if "\0" in text:
            message = f"{name} contains U+0000"
            raise ValueError(message)
        if len(text.encode()) > _MAX_BYTES:
            message = f"{name} has more than {_MAX_BYTES} bytes of UTF-8"
            raise ValueError(message)
