"""Sends queries with their right answers, and judges what comes back."""

import time
from collections.abc import Callable
from functools import partial
from typing import Generic, Protocol, TypeVar

from simulator import client, judge, ledger, tally, wire


class Dated(Protocol):
    """A query that says which tags must have been answered before it is judged: all below its horizon."""

    @property
    def horizon(self) -> int: ...


Question = TypeVar("Question", bound=Dated)

Expect = Callable[[Question], judge.Expectation]
Render = Callable[[Question, wire.Answer | None], bytes]


class Inquirer(Generic[Question]):
    """Asks the queries of one endpoint."""

    def __init__(
        self,
        age: float,
        expect: Expect[Question],
        render: Render[Question],
        answers: ledger.Ledger,
        pool: client.Pool,
        timeout: float,
        *,
        bodies: bool = True,
    ) -> None:
        """A query is judged if all tags before its horizon had been answered `age` seconds ago.

        `timeout` in seconds; `bodies` False keeps the right answers from the gateway.
        """
        self.tally = tally.Endpoint()
        self.under_way = 0
        self._age, self._expect, self._render = age, expect, render
        self._ledger, self._pool = answers, pool
        self._timeout, self._bodies = timeout, bodies

    def ask(self, question: Question, scheduled: float) -> None:
        """Send a query that was due at `scheduled`."""
        data, expectation = self._prepare(question)
        if self._pool.submit(data, self._timeout, partial(self._answered, question, expectation, scheduled)):
            self.under_way += 1
        else:
            self.tally.dropped += 1

    async def ask_now(self, question: Question) -> None:
        """Send a query and wait for its answer."""
        data, expectation = self._prepare(question)
        self.under_way += 1
        now = time.perf_counter()
        self._answered(question, expectation, now, await self._pool.request(data, self._timeout))

    async def is_right(self, question: Question) -> bool:
        """Whether the system knows the right answer yet; counts nowhere and tells the gateway nothing."""
        answer = await self._pool.request(self._render(question, None), self._timeout)
        return answer.status == 200 and self._expect(question).difference(answer.body) is None

    def _prepare(self, question: Question) -> tuple[bytes, judge.Expectation | None]:
        """The request, and what is right where that can be told."""
        due = not question.horizon or self._ledger.answered_before(time.perf_counter() - self._age) >= question.horizon
        expectation = self._expect(question)
        data = self._render(question, expectation.answer if due and self._bodies else None)
        return data, expectation if due and expectation.judgeable else None

    def _answered(
        self, question: Question, expectation: judge.Expectation | None, scheduled: float, answer: client.Answer
    ) -> None:
        self.under_way -= 1
        self.tally.count_status(answer.status)
        self.tally.latencies.record(time.perf_counter() - scheduled)
        if answer.status != 200:
            self.tally.refuse(answer, unknown=answer.status == 0 and answer.sent)
            return
        self.tally.accepted += 1
        if expectation is None:
            self.tally.unjudged += 1
        elif difference := expectation.difference(answer.body):
            self.tally.differ(f"{_shown(question)}: {difference}")


def _shown(question: object) -> str:
    """The query for the report; a line of at most 300 characters."""
    return repr(question)[:300]
