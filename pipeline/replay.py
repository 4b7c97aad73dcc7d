"""Dead letters applied after all: each in one transaction with the mark that it is no dead letter any more.

So two replays at once, or one that is killed and run again, apply a letter once. Where the output is not in that
transaction (profiles), it is written before the mark, and writing it again changes nothing.
"""

import enum
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

import msgspec
import psycopg
from psycopg import AsyncConnection

from pipeline import errors, pending
from schemas import codec, tags
from schemas.errors import UndecodableRecord
from stores import dead_letters, hours, profiles, replays
from stores import errors as store_errors

_TRIES: Final = 3


class StaysDead(errors.PipelineError):
    """A letter cannot be applied; the message says why. It is as it was."""


class Target(Protocol):
    """One group's output. Both raise `StaysDead`."""

    async def prepare(self, conn: AsyncConnection[Any], value: bytes | None) -> None:
        """Outside of the transaction, on a connection in autocommit mode: make ready for a record of this value."""

    async def apply(self, conn: AsyncConnection[Any], letter: dead_letters.DeadLetter) -> None:
        """Inside: add the letter's record. Raises psycopg.errors.CheckViolation where `prepare` has to come first."""


class Result(enum.Enum):
    """What became of a letter."""

    APPLIED = "applied"
    TAKEN = "taken"  # somebody else applied it meanwhile
    STAYS = "stays"  # it is a dead letter as before


class Outcome(msgspec.Struct, frozen=True):
    """What became of a letter, and in a few words why."""

    letter_id: int
    result: Result
    detail: str


async def replay(conn: AsyncConnection[Any], letter: dead_letters.DeadLetter, target: Target) -> Outcome:
    """Apply `letter` as it is stored when its turn comes. Raises what a store raises that is away."""
    value = letter.value
    try:
        for _try in range(_TRIES):
            await target.prepare(conn, value)
            try:
                async with conn.transaction():
                    claimed = await dead_letters.claim(conn, letter.id)
                    if claimed is None:
                        return Outcome(letter.id, Result.TAKEN, "somebody else replayed it meanwhile")
                    value = claimed.value  # mended again since it was listed, perhaps into another hour
                    await target.apply(conn, claimed)
            except psycopg.errors.CheckViolation:
                continue
            return Outcome(letter.id, Result.APPLIED, "applied")
    except StaysDead as error:
        return Outcome(letter.id, Result.STAYS, str(error))
    return Outcome(letter.id, Result.STAYS, "its hour of event time was dropped again and again")


class Aggregates:
    """Into the sums."""

    def __init__(self, max_hours: int) -> None:
        self._max_hours = max_hours

    async def prepare(self, conn: AsyncConnection[Any], value: bytes | None) -> None:
        hour = _tag(value).time // (60 * tags.MILLIS_PER_MINUTE)
        with _refused():
            [state] = (await hours.ensure_hours(conn, [hour], max_hours=self._max_hours)).values()
        if state in hours.REFUSED:
            message = f"its hour of event time {hours.REFUSED[state]}"
            raise StaysDead(message)

    async def apply(self, conn: AsyncConnection[Any], letter: dead_letters.DeadLetter) -> None:
        tag = _tag(letter.value)
        with _refused():
            await replays.add(conn, tags.item_of(tag), tag.price, letter.partition)


class Profiles:
    """Into users' histories."""

    def __init__(self, store: profiles.ProfileStore) -> None:
        self._store = store

    async def prepare(self, conn: AsyncConnection[Any], value: bytes | None) -> None:
        _tag(value)

    async def apply(self, conn: AsyncConnection[Any], letter: dead_letters.DeadLetter) -> None:
        _tag(letter.value)
        try:
            await self._store.add([pending.write_of(letter.partition, letter.offset, letter.value)])
        except store_errors.PartialWrite as error:
            raise StaysDead(_reasons(error.failed)) from error


def _tag(value: bytes | None) -> tags.UserTag:
    try:
        return codec.decode_tag(value or b"")
    except UndecodableRecord as error:
        message = f"it still cannot be read: {error}"
        raise StaysDead(message) from error


@contextmanager
def _refused() -> Iterator[None]:
    """A value that PostgreSQL does not take leaves the letter as it was. All else is raised as it is."""
    try:
        yield
    except psycopg.Error as error:
        if not store_errors.refuses_value(error):
            raise
        message = f"PostgreSQL refuses it: {str(error).partition(chr(10))[0]}"
        raise StaysDead(message) from error


def _reasons(failed: Collection[profiles.FailedWrite]) -> str:
    return "the profile store refuses it: " + ", ".join(failure.reason for failure in failed)
