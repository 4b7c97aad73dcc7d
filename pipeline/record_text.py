"""A record's key or value for a person to read."""

from typing import Final

from pipeline import tag_json
from schemas import codec
from schemas.errors import UndecodableRecord

_MOST_BYTES: Final = 4_096


def readable(value: bytes | None) -> str:
    """Decoded where it is a record of ours, else with escapes, and in hex; the beginning of a long one."""
    if value is None:
        return "none"
    for decode in (_tag, _item):
        try:
            return decode(value)
        except UndecodableRecord:
            continue
    cut = value[:_MOST_BYTES]
    more = "..." if len(cut) < len(value) else ""
    return f"{len(value)} bytes that are no record of ours\n  text: {str(cut)[2:-1]}{more}\n  hex:  {cut.hex()}{more}"


def _tag(value: bytes) -> str:
    return f"user tag {tag_json.shown(codec.decode_tag(value))}"


def _item(value: bytes) -> str:
    return str(codec.decode_item(value))
