"""A backend: the server's end of a connection, which may live on when its client is gone."""

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import Any, Final

import psycopg
from psycopg.pq import TransactionStatus

from tests.support.fakes.postgres import refusals
from tests.support.fakes.postgres.engine import Engine
from tests.support.fakes.postgres.messages import NO_DELAY, Delay, Fate, Message, Outcome
from tests.support.fakes.postgres.refusals import State
from tests.support.fakes.postgres.tables import Changes, Hour, Offset


class _Phase(Enum):
    IDLE = "waits for a message"
    UNDERWAY = "a message is on its way"
    RUNNING = "does what the message says"
    ANSWERING = "the answer is on its way"


class Transaction:
    """Owner of locks; `changes` are nobody else's before the commit."""

    def __init__(self) -> None:
        self.changes = Changes()


LOST: Final = TransactionStatus.UNKNOWN


class Session:
    """One backend. `client` is the conninfo that it was connected with; `settings` are its timeouts in seconds."""

    def __init__(self, engine: Engine, client: str, on_end: Callable[["Session"], None]) -> None:
        self.engine, self.client = engine, client
        self.settings: dict[str, float] = {}
        self.copying = False
        self._on_end = on_end
        self._phase = _Phase.IDLE
        self._transaction: Transaction | None = None
        self._in_block = self._failed = self._deserted = self._ended = self._canceled = False
        self._deadline: float | None = None
        self._farewell = refusals.connection_lost
        self._answer: asyncio.Future[Outcome] | None = None
        self._task: asyncio.Task[None] | None = None
        self._idling: asyncio.TimerHandle | None = None

    # -- for the client's end ------------------------------------------------------------------------------------------

    def send(
        self,
        message: Message,
        fate: Fate = Fate.DELIVERED,
        delay: Delay = NO_DELAY,
    ) -> asyncio.Future[Outcome]:
        """The answer to come."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if self._deserted or self._ended:
            answer.set_result(self._lost())
            return answer
        self._answer, self._phase = answer, _Phase.UNDERWAY
        self._task = self.engine.pace.spawn(self._exchange(message, answer, delay))
        if fate is not Fate.DELIVERED:
            self.desert(delivered=fate is Fate.CUT_AFTER)
        return answer

    def cancel(self) -> None:
        """A cancel request has arrived: it ends what runs now, if anything does."""
        if self._phase is _Phase.RUNNING:
            self._canceled = True
            if self._transaction is not None:
                self.engine.locks.cancel(self._transaction)

    def desert(self, *, delivered: bool = True) -> None:
        """The client's end is gone. A message on its way arrives all the same, and is obeyed, if `delivered`."""
        if self._deserted or self._ended:
            return
        self._deserted = True
        self._reply(self._lost())
        if self._phase is _Phase.UNDERWAY and not delivered and self._task is not None:
            self._task.cancel()
            self._phase = _Phase.IDLE
        if self._phase in (_Phase.IDLE, _Phase.ANSWERING):
            self.engine.pace.spawn(self._notice())

    # -- for the server ------------------------------------------------------------------------------------------------

    def terminate(self, farewell: Callable[[], psycopg.Error] = refusals.connection_lost) -> None:
        """The server ends it, now; what is not committed is gone."""
        if self._ended:
            return
        self._farewell = farewell
        if self._task is not None:
            self._task.cancel()
        self._end()
        self._reply(self._lost())

    # -- for statements ------------------------------------------------------------------------------------------------

    @property
    def changes(self) -> Changes:
        """Of the transaction under way."""
        assert self._transaction is not None
        return self._transaction.changes

    def offset(self, key: Offset) -> int | None:
        """As this transaction sees it."""
        return self.changes.offsets.get(key, self.engine.tables.offsets.get(key))

    def offsets(self) -> list[Offset]:
        """The rows that this transaction sees, in an order that means nothing."""
        return list(self.engine.tables.offsets | self.changes.offsets)

    def hour(self, hour: int) -> Hour | None:
        """As this transaction sees it."""
        hours = self.engine.tables.hours
        return Hour.MADE if hours is None else self.changes.hours.get(hour, hours.get(hour))

    def refuse_read_only(self, command: str) -> None:
        if self.engine.read_only:
            raise refusals.refusal(
                State.READ_ONLY_SQL_TRANSACTION, f"cannot execute {command} in a read-only transaction"
            )

    async def toil(self) -> None:
        """Work that takes a moment, and that a cancel request or a timeout ends."""
        await self.engine.pace.moment()
        if self._canceled:
            raise refusals.canceled_by_user()
        if self._deadline is not None and _now() >= self._deadline:
            raise refusals.statement_timeout()

    async def lock(self, key: Any, at_most_s: float | None = None) -> None:
        """Hold `key` until the transaction ends."""
        assert self._transaction is not None
        if self._canceled:
            raise refusals.canceled_by_user()
        lock_s = at_most_s or self.settings.get("lock_timeout") or None
        left_s = None if self._deadline is None else self._deadline - _now()
        patience_s = min((each for each in (lock_s, left_s) if each is not None), default=None)
        try:
            await self.engine.locks.take(key, self._transaction, patience_s)
        except psycopg.errors.LockNotAvailable as error:
            if patience_s == lock_s:
                raise
            raise refusals.statement_timeout() from error

    def begin(self) -> str:
        self._in_block = True
        return "BEGIN"

    def commit(self) -> str:
        """COMMIT; of a failed transaction it is a ROLLBACK, and the tag says so."""
        if self._failed:
            return self.rollback()
        if self._transaction is not None:
            self.engine.commit(self._transaction.changes)
        self.rollback()
        return "COMMIT"

    def rollback(self) -> str:
        self._abort()
        self._in_block = self._failed = False
        return "ROLLBACK"

    # -- details -------------------------------------------------------------------------------------------------------

    async def _exchange(self, message: Message, answer: asyncio.Future[Outcome], delay: Delay) -> None:
        try:
            await delay.over()
            await self.engine.pace.moment()
            self._stop_idling()
            self._phase = _Phase.RUNNING
            outcome = await self._obey(message)
            self._phase = _Phase.ANSWERING
            if self._deserted:
                self._end()
                return
            self._start_idling()
            await self.engine.pace.moment()
            self._phase = _Phase.IDLE
            self._reply(outcome)
        except Exception as error:  # a defect of the fake, or a query that it does not know
            if not answer.done():
                answer.set_exception(error)

    async def _obey(self, message: Message) -> Outcome:
        timeout_s = self.settings.get("statement_timeout")
        self._canceled, self._deadline = False, _now() + timeout_s if timeout_s else None
        try:
            if self._failed and not message.ends:
                raise refusals.refusal(
                    State.IN_FAILED_SQL_TRANSACTION,
                    "current transaction is aborted, commands ignored until end of block",
                )
            if self._transaction is None:
                self._transaction = Transaction()
            results = await message.run(self)
            if not self._in_block:
                self.commit()
        except psycopg.Error as error:
            self._abort()
            self.copying = False
            self._failed = self._in_block
            return Outcome([], error, self._status)
        return Outcome(results, None, self._status)

    @property
    def _status(self) -> TransactionStatus:
        if self.copying:
            return TransactionStatus.ACTIVE
        if not self._in_block:
            return TransactionStatus.IDLE
        return TransactionStatus.INERROR if self._failed else TransactionStatus.INTRANS

    def _abort(self) -> None:
        """An error releases the locks at once, whenever the client says ROLLBACK."""
        if self._transaction is not None:
            self.engine.locks.release(self._transaction)
            self._transaction = None

    def _reply(self, outcome: Outcome) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(outcome)

    def _lost(self) -> Outcome:
        return Outcome([], self._farewell(), LOST, alive=False)

    async def _notice(self) -> None:
        """A backend sees that its client is gone when it reads on."""
        await self.engine.pace.moment()
        self._end()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._stop_idling()
            self._abort()
            self._on_end(self)

    def _start_idling(self) -> None:
        seconds = self.settings.get("idle_in_transaction_session_timeout")
        if seconds and self._in_block and not self.copying:
            self._idling = self.engine.pace.call_later(seconds, self._idle_too_long)

    def _stop_idling(self) -> None:
        if self._idling is not None:
            self._idling.cancel()
            self._idling = None

    def _idle_too_long(self) -> None:
        self.engine.pace.spawn(self._give_up_idling())

    async def _give_up_idling(self) -> None:
        await self.engine.pace.moment()
        if self._phase in (_Phase.IDLE, _Phase.ANSWERING):
            self.terminate(refusals.idle_too_long)


def _now() -> float:
    return asyncio.get_running_loop().time()
