"""The port to users' recent histories: what is written, what is read, and what any adapter promises."""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import msgspec

from schemas import tags

KEPT: Final = 200
"""Entries kept of each cookie and action: the newest."""

ENTRY_KEY_BYTES: Final = 20
MAX_COOKIE_BYTES: Final = 512

_TIME_BIAS: Final = 2**63
_TIME: Final = struct.Struct(">Q")
_POSITION: Final = struct.Struct(">IQ")
_ID_BYTES: Final = _POSITION.size


class ProfileWrite(msgspec.Struct, frozen=True, gc=False):
    """One entry: `action` is VIEW or BUY, `entry_key` is made by entry_key(), `value` is the encoded tag."""

    cookie: str
    action: str
    entry_key: bytes
    value: bytes


class FailedWrite(msgspec.Struct, frozen=True):
    """A write that did not go in, and why. A permanent one never will: it is a dead letter."""

    write: ProfileWrite
    reason: str
    permanent: bool


class Profile(msgspec.Struct, frozen=True):
    """Encoded tags of one cookie, newest first."""

    views: list[bytes]
    buys: list[bytes]


class ProfileStore(Protocol):
    """Keeps the newest KEPT entries of every (cookie, action), each a value under a 20-byte key.

    Order is that of the keys, which begin with the time: of two entries of one millisecond the greater key counts as
    the newer. Writing an entry again, by a replay or a retry, changes nothing; should the value differ, the last one
    stays. An entry older than the newest KEPT is dropped, whether it was there before or not: so a replay of old
    entries, in any order, neither evicts a newer one nor brings an old one back. Writers of one cookie may run at the
    same time.

    A reader sees an entry whole or not at all, and never more than the newest KEPT. After add() returned, every later
    read, by any process, sees what it wrote.
    """

    async def add(self, writes: Sequence[ProfileWrite]) -> None:
        """Stores all of them, in any order, any number of a cookie.

        Raises PartialWrite when some failed: it names them, all others are stored, those not permanent may be written
        again. Raises ProfileStoreUnavailable when the store is away: any may be stored; write all of them again.
        """

    async def read(self, cookie: str, from_ms: int, to_ms: int, limit: int) -> Profile:
        """Of the entries kept, those with `from_ms <= time < to_ms`, then the newest `limit` of each action.

        An unknown cookie has an empty profile, and so has one that cannot be stored. Raises ProfileStoreUnavailable.
        """

    async def ping(self) -> None:
        """Raises ProfileStoreUnavailable unless the store answers."""

    async def wipe(self) -> None:
        """Forgets every profile, for a rebuild. Raises ProfileStoreUnavailable."""

    async def close(self) -> None:
        """Lets connections go. Nothing else may be called afterwards."""


def entry_key(time_ms: int, event_id: str | None, partition: int, offset: int) -> bytes:
    """20 bytes that sort by time: 8 of time, 12 that tell events of one millisecond apart.

    The time is big-endian, biased so that times before 1970 sort first. The rest is a hash of the sender's id for the
    event, so that an event sent twice is one entry, or else where its record lies in the topic (4 bytes of partition, 8
    of offset), so that a record read twice is. 96 bits collide by chance once in 10^14 pairs of 10^14 events.
    """
    if event_id is None:
        unique = _POSITION.pack(partition, offset)
    else:
        unique = hashlib.blake2b(event_id.encode(), digest_size=_ID_BYTES).digest()
    return _TIME.pack(time_ms + _TIME_BIAS) + unique


def range_end(time_ms: int) -> bytes:
    """The least key of a millisecond: the end of a range, whichever side. Times beyond 64 bits are cut to it."""
    biased = min(max(time_ms + _TIME_BIAS, 0), 2**64 - 1)
    return _TIME.pack(biased) + bytes(_ID_BYTES)


def storable(cookie: str) -> bool:
    """Whether a cookie can have a profile: not empty, at most 512 bytes of UTF-8, no U+0000, no half of a pair."""
    try:
        return 0 < len(cookie.encode()) <= MAX_COOKIE_BYTES and "\0" not in cookie
    except UnicodeEncodeError:
        return False


def sift(writes: Iterable[ProfileWrite]) -> tuple[list[ProfileWrite], list[FailedWrite]]:
    """What is worth sending, sorted by (cookie, action, key), each entry once; and what no store takes.

    Of a cookie and action only the newest KEPT of the batch are worth sending: the others could not stay.
    """
    latest = {(write.cookie, write.action, write.entry_key): write for write in writes}
    refused = [FailedWrite(write, reason, True) for write in latest.values() if (reason := _refusal(write))]
    for failure in refused:
        del latest[failure.write.cookie, failure.write.action, failure.write.entry_key]
    ordered = [latest[key] for key in sorted(latest)]
    kept = [
        write
        for write, later in zip(ordered, [*ordered[KEPT:], *[None] * KEPT], strict=False)
        if later is None or (later.cookie, later.action) != (write.cookie, write.action)
    ]
    return kept, refused


def _refusal(write: ProfileWrite) -> str | None:
    if not storable(write.cookie):
        return "no cookie that can be stored"
    if write.action not in tags.ACTIONS:
        return f"no action {write.action!r}"
    if len(write.entry_key) != ENTRY_KEY_BYTES:
        return f"an entry key has {ENTRY_KEY_BYTES} bytes, not {len(write.entry_key)}"
    return None
