"""UserTag v1 from its bytes at half the library's cost, for the paths that every event passes.

fastavro interprets the schema field by field: 3.9 us a tag, more than the rest of a worker's work on it. This reads the
one schema that all events of today are written with; any other header is left to fastavro, so a schema that grows is
read more slowly, never wrongly. tests/property/schemas/test_fast.py holds it against fastavro on whole and on damaged
records; `python -m bench.codec` prints both costs.
"""

from typing import Final

from schemas import errors, tags

HEADER: Final = bytes.fromhex("c301795424807af95fef")
"""Marker and fingerprint of schemas/released/UserTag.v1.avsc."""

_DEVICES: Final = {0: "PC", 2: "MOBILE", 4: "TV"}  # by zigzag-encoded index, so that a negative one is unknown too
_ACTIONS: Final = {0: "VIEW", 2: "BUY"}
_MOST_SHIFT: Final = 70  # ten bytes, what 64 bits take: a longer one is refused before it costs anything
_LONG, _STRING, _NULL, _PRESENT = 0, 2, 0, 2  # zigzag-encoded branches of the two unions


def read(data: bytes) -> tags.UserTag:
    """The tag in `data`, which begins with HEADER. Raises `errors.UndecodableRecord`."""
    try:
        tag, end = _read(data)
    except (IndexError, KeyError, ValueError) as error:
        message = f"no UserTag record behind a right header: {type(error).__name__}: {error}"
        raise errors.UndecodableRecord(message) from error
    if end != len(data):
        message = f"a UserTag record of {end} bytes in {len(data)}"
        raise errors.UndecodableRecord(message)
    return tag


def _read(data: bytes) -> tuple[tags.UserTag, int]:
    """In the order of the schema. A string's length fits one byte up to 63 bytes: those are read without a call."""
    time, at = _integer(data, len(HEADER), 64)

    size = data[at]
    size, start = (size >> 1, at + 1) if not size & 0x81 else _length(data, at)
    at = start + size
    cookie = data[start:at].decode()

    size = data[at]
    size, start = (size >> 1, at + 1) if not size & 0x81 else _length(data, at)
    at = start + size
    country = data[start:at].decode()

    device, action = _DEVICES[data[at]], _ACTIONS[data[at + 1]]

    size = data[at + 2]
    size, start = (size >> 1, at + 3) if not size & 0x81 else _length(data, at + 2)
    at = start + size
    origin = data[start:at].decode()

    product_id: int | str
    if data[at] == _LONG:
        product_id, at = _integer(data, at + 1, 64)
    else:
        product_id, at = _text(data, at, _STRING)

    size = data[at]
    size, start = (size >> 1, at + 1) if not size & 0x81 else _length(data, at)
    at = start + size
    brand_id = data[start:at].decode()

    size = data[at]
    size, start = (size >> 1, at + 1) if not size & 0x81 else _length(data, at)
    at = start + size
    category_id = data[start:at].decode()

    price, at = _integer(data, at, 32)

    if data[at] == _NULL:
        event_id, at = None, at + 1
    else:
        event_id, at = _text(data, at, _PRESENT)
    return (
        tags.UserTag(
            time, cookie, country, device, action, origin, product_id, brand_id, category_id, price, event_id
        ),
        at,
    )  # fmt: skip


def _text(data: bytes, at: int, branch: int) -> tuple[str, int]:
    """The string branch of a union, and where it ends."""
    if data[at] != branch:
        message = f"no such branch of a union: {data[at]}"
        raise ValueError(message)
    size, start = _length(data, at + 1)
    return data[start : start + size].decode(), start + size


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A string's length, and where its bytes begin. A slice beyond the end is found by the record's own end."""
    size, start = _integer(data, at, 64)
    if size < 0:
        message = f"a string of {size} bytes"
        raise ValueError(message)
    return size, start


def _integer(data: bytes, at: int, bits: int) -> tuple[int, int]:
    """A zigzag varint of at most `bits` bits, and where it ends."""
    byte = data[at]
    at += 1
    value = byte & 0x7F
    shift = 7
    while byte & 0x80:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if shift > _MOST_SHIFT:
            break
    if value >> bits:
        message = f"a number beyond {bits} bits"
        raise ValueError(message)
    return (value >> 1) ^ -(value & 1), at
