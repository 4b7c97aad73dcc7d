"""What passes between the two ends of a connection, and what may become of it."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import psycopg
from psycopg.pq import TransactionStatus

if TYPE_CHECKING:
    from tests.support.fakes.postgres.sessions import Session


class Result(NamedTuple):
    """Of one statement."""

    rows: list[tuple[Any, ...]]
    tag: str


class Message(NamedTuple):
    """What a client sends in one go. `name` is that of the query; `ends` says that it ends a failed transaction."""

    name: str
    run: Callable[["Session"], Awaitable[list[Result]]]
    ends: bool = False


class Outcome(NamedTuple):
    """What a client learns of it. `alive` is false where the connection is gone."""

    results: list[Result]
    error: psycopg.Error | None
    status: TransactionStatus
    alive: bool = True


class Delay(NamedTuple):
    """What a message's way to the server takes longer than usual."""

    seconds: float = 0.0
    until: asyncio.Event | None = None

    async def over(self) -> None:
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if self.until is not None:
            await self.until.wait()


NO_DELAY: Final = Delay()


class Fate(Enum):
    """What becomes of one message, and of the connection."""

    DELIVERED = "nothing special"
    CUT_BEFORE = "the server never gets it"
    CUT_AFTER = "the server gets it, the client never hears of it"
