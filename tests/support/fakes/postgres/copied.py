"""Rows out of a binary COPY stream, with the server's objections to what is in them.

https://www.postgresql.org/docs/18/sql-copy.html#id-1.9.3.55.9.4
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Final

from stores.copying import Item
from tests.support.fakes.postgres import refusals
from tests.support.fakes.postgres.refusals import State

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\x00"
_COLUMNS: Final = 7
_short: Final = struct.Struct(">h").unpack_from
_int: Final = struct.Struct(">i").unpack_from
_bigint: Final = struct.Struct(">q").unpack_from
_SECONDS_TO_2000: Final = 946_684_800
TIMESTAMPS: Final = range(-211_813_488_000_000_000, 9_223_371_331_200_000_000)
"""Microseconds since 2000 that a timestamptz can be: 4713 BC to 294276 AD."""
_INDEX_ROW: Final = 2_704
"""Bytes of a B-tree's entry, at most."""
_PACKED: Final = 508
"""Bytes of a text beyond which an index packs it."""


def rows(stream: bytes, has_hour: Callable[[int], bool]) -> Iterator[tuple[Item, int, int]]:
    """`(item, count, sum)`, row by row. Raises 22P04, 22008, 22021, 54000; 23514 for an hour that `has_hour` denies."""
    if not stream.startswith(_SIGNATURE):
        raise refusals.refusal(State.BAD_COPY_FILE_FORMAT, "COPY file signature not recognized")
    _flags, extension = struct.unpack_from(">ii", stream, len(_SIGNATURE))
    at = len(_SIGNATURE) + 8 + extension
    while True:
        (columns,) = _short(stream, at)
        at += 2
        if columns == -1:
            break
        if columns != _COLUMNS:
            raise refusals.refusal(State.BAD_COPY_FILE_FORMAT, f"row field count is {columns}, expected {_COLUMNS}")
        fields: list[bytes] = []
        for _ in range(_COLUMNS):
            (size,) = _int(stream, at)
            fields.append(stream[at + 4 : at + 4 + size])
            at += 4 + size
        yield _row(fields, has_hour)
    if at != len(stream):
        raise refusals.refusal(State.BAD_COPY_FILE_FORMAT, "received copy data after EOF marker")


def _row(fields: list[bytes], has_hour: Callable[[int], bool]) -> tuple[Item, int, int]:
    minute = _minute(fields[0])
    action, origin, brand_id, category_id = (_text(field) for field in fields[1:5])
    (count,), (price,) = _bigint(fields[5]), _bigint(fields[6])
    if not has_hour(minute // 60):
        raise refusals.refusal(State.CHECK_VIOLATION, 'no partition of relation "aggregate_deltas" found for row')
    for field in fields[2:5]:
        _refuse_unindexable(field)
    return (minute, action, origin, brand_id, category_id), count, price


def _minute(field: bytes) -> int:
    microseconds: int = _bigint(field)[0]
    if microseconds not in TIMESTAMPS:
        raise refusals.refusal(State.DATETIME_FIELD_OVERFLOW, "timestamp out of range")
    minute, rest = divmod(microseconds // 1_000_000 + _SECONDS_TO_2000, 60)
    assert not rest, "a time that is no whole minute"
    return minute


def _text(field: bytes) -> str:
    try:
        text = field.decode()
    except UnicodeDecodeError as error:
        raise _no_text(field[error.start]) from error
    if "\0" in text:
        raise _no_text(0)
    return text


def _refuse_unindexable(field: bytes) -> None:
    """Each of the three texts is indexed, with the time."""
    if len(field) <= _PACKED:
        return
    size = -(-(min(len(field), _packed(field)) + 4) // 8) * 8 + 16
    if size > _INDEX_ROW:
        message = f"index row size {size} exceeds btree version 4 maximum {_INDEX_ROW}"
        raise refusals.refusal(State.PROGRAM_LIMIT_EXCEEDED, message)


def _packed(field: bytes) -> int:
    """Bytes of it about as PostgreSQL packs them: repetitions are found, and letters are not made shorter."""
    packer = zlib.compressobj(strategy=zlib.Z_FIXED)
    return len(packer.compress(field) + packer.flush())


def _no_text(byte: int) -> Exception:
    return refusals.refusal(
        State.CHARACTER_NOT_IN_REPERTOIRE, f'invalid byte sequence for encoding "UTF8": 0x{byte:02x}'
    )
