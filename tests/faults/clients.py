"""Events over HTTP, to gateways that come and go: clients that fail over, with a history of what each was told."""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from devstack import ports
from simulator import client, outcomes
from simulator.outcomes import Outcome
from tests.faults import history, tagging
from tests.faults.background import Background

_ANSWER_SECONDS: Final = 10.0
_STEP_SECONDS: Final = 0.01
_CONNECTIONS: Final = 48
_WAITING: Final = 8
_MOST_UNDER_WAY: Final = 120
_ATTEMPTS: Final = 3
_SHUNNED_SECONDS: Final = 0.25
_STATUSES: Final[Mapping[Outcome, history.Status]] = {
    Outcome.STORED: history.ACKNOWLEDGED,
    Outcome.REFUSED: history.REFUSED,
    Outcome.UNKNOWN: history.UNKNOWN,
}


class Clients(Background):
    """A thread that posts `rate` events a second, to one gateway after the other, from `__enter__` to `__exit__`.

    A gateway that takes no connection is left alone for a moment. An event that surely is not stored is sent again to
    the next gateway, under another id. One in `bad_every` has a body that must be refused: it stands in the history as
    refused whatever was answered, and in `accepted` if that was 204.
    """

    def __init__(self, gateways: Sequence[int], log: history.History, prefix: str, rate: float, bad_every: int) -> None:
        """`gateways` are their ports."""
        super().__init__("clients")
        self.sent = 0
        self.statuses: Counter[int] = Counter()
        self.accepted: list[str] = []
        self._ports, self._log, self._prefix, self._rate, self._bad_every = gateways, log, prefix, rate, bad_every
        self._acknowledged: dict[int, list[float]] = {port: [] for port in gateways}
        self._turns = itertools.cycle(range(len(gateways)))
        self._shunned_until = [0.0] * len(gateways)
        self._bad = itertools.cycle(_BAD)
        self._pools: list[client.Pool] = []
        self._begun = self._under_way = 0

    def acknowledged_s(self, port: int, moment: float) -> float | None:
        """Seconds from `moment` (monotonic) until this gateway acknowledged an event again; None if it never did."""
        return next((at - moment for at in self._acknowledged[port] if at > moment), None)

    def finish(self) -> None:
        """Send no more; back when what was sent is answered, or has timed out. Raises BrokeOff."""
        self._end()

    def _run(self) -> None:
        asyncio.run(self._post_all())

    async def _post_all(self) -> None:
        """In the end nothing more is sent, and what is under way is answered or times out."""
        asyncio.get_running_loop().set_exception_handler(self._on_stray_error)
        self._pools = [client.Pool(ports.HOST, port, _CONNECTIONS, _WAITING) for port in self._ports]
        for pool in self._pools:
            pool.start()
        began = time.monotonic()
        while not self._over.is_set():
            while self._begun < (time.monotonic() - began) * self._rate:
                if self._under_way < _MOST_UNDER_WAY and self._usable():  # else this event is never made
                    self._begin(self._begun)
                self._begun += 1
            await asyncio.sleep(_STEP_SECONDS)
        while self._under_way and self._error is None:  # noqa: ASYNC110 - every request has a deadline
            await asyncio.sleep(_STEP_SECONDS)
        for pool in self._pools:
            await pool.close()

    def _begin(self, number: int) -> None:
        name = f"{self._prefix}-{number}"
        if number % self._bad_every == self._bad_every - 1:
            self._send(name, next(self._bad)(json.loads(tagging.body(name, number))), self._ended_bad)
        else:
            self._post(number, 1)

    def _post(self, number: int, attempt: int) -> None:
        name = f"{self._prefix}-{number}" + (f"-again-{attempt}" if attempt > 1 else "")
        self._send(name, tagging.body(name, number), partial(self._ended, number, attempt))

    def _send(self, name: str, body: bytes, ended: Callable[[str, float, int, client.Answer], None]) -> None:
        turn = self._turn()
        self.sent += 1
        self._under_way += 1
        done = partial(self._take, partial(ended, name, time.time(), turn))
        if not self._pools[turn].submit(_request(body), _ANSWER_SECONDS, done):
            done(client.Answer(0, b"", sent=False))

    def _take(self, ended: Callable[[client.Answer], None], answer: client.Answer) -> None:
        """Who calls this, in the event loop, drops errors."""
        try:
            ended(answer)
        except Exception as error:
            self._break_off(error)

    def _on_stray_error(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._break_off(context.get("exception") or RuntimeError(context["message"]))

    def _break_off(self, error: Exception) -> None:
        """What was not noted cannot be judged."""
        self._error = self._error or error
        self._over.set()

    def _turn(self) -> int:
        """The next gateway's, of those that are not left alone just now."""
        first, usable = next(self._turns), self._usable()
        turns = ((first + step) % len(self._ports) for step in range(len(self._ports)))
        return next((turn for turn in turns if turn in usable), first)

    def _usable(self) -> set[int]:
        now = time.monotonic()
        return {turn for turn, until in enumerate(self._shunned_until) if until <= now}

    def _ended(self, number: int, attempt: int, name: str, sent: float, turn: int, answer: client.Answer) -> None:
        outcome = outcomes.of(answer)
        self._note(name, sent, _STATUSES[outcome], answer)
        if not answer.sent:
            self._shunned_until[turn] = time.monotonic() + _SHUNNED_SECONDS
        if outcome is Outcome.STORED:
            self._acknowledged[self._ports[turn]].append(time.monotonic())
        elif outcome is Outcome.REFUSED and attempt < _ATTEMPTS and self._usable():
            self._post(number, attempt + 1)

    def _ended_bad(self, name: str, sent: float, _turn: int, answer: client.Answer) -> None:
        self._note(name, sent, history.REFUSED, answer)
        if outcomes.of(answer) is Outcome.STORED:
            self.accepted.append(name)

    def _note(self, name: str, sent: float, status: history.Status, answer: client.Answer) -> None:
        self._under_way -= 1
        self.statuses[answer.status] += 1
        self._log.note(name, sent, status)


def _request(body: bytes) -> bytes:
    head = b"POST /user_tags HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


# -- bodies that must be refused, made from good ones: each still names its event --------------------------------------


def _unknown_device(tag: dict[str, Any]) -> bytes:
    return json.dumps(tag | {"device": "FRIDGE"}).encode()


def _without_action(tag: dict[str, Any]) -> bytes:
    return json.dumps({name: value for name, value in tag.items() if name != "action"}).encode()


def _price_as_text(tag: dict[str, Any]) -> bytes:
    return json.dumps(tag | {"product_info": tag["product_info"] | {"price": "100"}}).encode()


def _no_such_day(tag: dict[str, Any]) -> bytes:
    return json.dumps(tag | {"time": "2022-02-30T12:00:00.000Z"}).encode()


def _cut_short(tag: dict[str, Any]) -> bytes:
    return json.dumps(tag).encode()[:-2]


def _too_large(tag: dict[str, Any]) -> bytes:
    return json.dumps(tag | {"more": "x" * 70_000}).encode()


_BAD: Final = (_unknown_device, _without_action, _price_as_text, _no_such_day, _cut_short, _too_large)
