"""Events into the log: an event is durable when `send`'s future is done, and what is known when it fails is exact.

What a caller may tell its client rests on one line: an event is *handed over* when the client library's `produce` takes
it. Before that line it is stored nowhere (`errors.NotHandedOver`). After it every failure is `errors.OutcomeUnknown`:
the library goes on trying for as long as it takes, for an event that it gave up could end up in the log twice.
"""

import asyncio
import collections
from collections.abc import Callable, Sequence
from typing import Final, Protocol, Self

import msgspec
from confluent_kafka import KafkaError, KafkaException

from broker import errors, sessions
from runtime import logging
from runtime.settings import KafkaSettings

_log = logging.get_logger(__name__)
RENEWAL_PAUSE_S: Final = 1.0


class Limits(msgspec.Struct, frozen=True):
    """What one producer may hold and how long it may wait.

    `timeout_ms`: an event not acknowledged by then is given up. `in_flight`: events handed over and not yet reported
    on, the given-up ones among them. `linger_ms`: how long an event waits for others to share its request.
    """

    timeout_ms: int = 5000
    in_flight: int = 10_000
    linger_ms: float = 2.0


class Session(Protocol):
    """One life of the client library's producer; the methods are described in `sessions.Session`."""

    def produce(self, key: bytes, value: bytes, headers: sessions.Headers | None, future: sessions.Future) -> None:
        """Hand over one event."""

    def retire(self) -> None:
        """End once everything is reported."""

    async def close(self, timeout_s: float) -> None:
        """End now, waiting for the reports."""


OpenSession = Callable[[sessions.OnReports, sessions.OnFatal], Session]


class EventProducer:
    """Sends events of one topic from one event loop; made inside it."""

    def __init__(self, open_session: OpenSession, limits: Limits, renewal_pause_s: float = RENEWAL_PAUSE_S) -> None:
        """`open_session` is called at once, and again when a session became unusable, once a pause at most."""
        self.in_flight = 0
        self._open_session = open_session
        self._limits = limits
        self._timeout_s = limits.timeout_ms / 1000
        self._loop = asyncio.get_running_loop()
        # All events have the same timeout: they expire in the order of sending, and need no timer each.
        self._waiting: collections.deque[tuple[float, sessions.Future]] = collections.deque()
        self._sweep: asyncio.TimerHandle | None = None
        self._session: Session | None = None
        self._renewal_pause_s = renewal_pause_s
        self._renew_after = 0.0
        self._closing = False
        self._renew()

    @classmethod
    def connect(cls, settings: KafkaSettings, limits: Limits | None = None) -> Self:
        """A producer of the settings' topic. Does not wait for Kafka: events sent before it is there wait for it."""
        limits = limits or Limits()
        config = sessions.config(
            settings.kafka_hosts,
            timeout_ms=limits.timeout_ms,
            in_flight=limits.in_flight,
            linger_ms=limits.linger_ms,
        )
        return cls(lambda reports, fatal: sessions.Session(config, settings.kafka_topic, reports, fatal), limits)

    def send(self, key: bytes, value: bytes, headers: sessions.Headers | None = None) -> sessions.Future:
        """Hand over an event. The future is done when all in-sync replicas hold it.

        Raises `errors.NotHandedOver` at once; the future raises `errors.OutcomeUnknown` within the timeout.
        """
        if self.in_flight >= self._limits.in_flight:
            raise errors.NotHandedOver("in_flight_bound")  # noqa: EM101 - a word for logs and metrics
        future = self._loop.create_future()
        self._hand_over(key, value, headers, future)
        self.in_flight += 1
        self._waiting.append((self._loop.time() + self._timeout_s, future))
        if self._sweep is None:
            self._sweep = self._loop.call_later(self._timeout_s, self._give_up_expired)
        return future

    async def close(self, timeout_s: float) -> int:
        """Take no more events and wait for the reports of those in flight. Returns how many are still missing."""
        self._closing = True
        if self._session is not None:
            await self._session.close(timeout_s)
        if self._sweep is not None:
            self._sweep.cancel()
        return self.in_flight

    def _hand_over(self, key: bytes, value: bytes, headers: sessions.Headers | None, future: sessions.Future) -> None:
        session = self._usable_session()
        try:
            session.produce(key, value, headers, future)
        except BufferError as error:
            raise errors.NotHandedOver("queue_full") from error  # noqa: EM101
        except KafkaException as error:
            reason: KafkaError = error.args[0]
            if reason.fatal() or reason.code() == KafkaError._FATAL:  # noqa: SLF001 - its public name
                self._replace(session, reason.str())
            raise errors.NotHandedOver(reason.name()) from error

    def _usable_session(self) -> Session:
        if self._closing:
            raise errors.NotHandedOver("closing")  # noqa: EM101
        if self._session is None and self._loop.time() >= self._renew_after:
            self._renew()
        if self._session is None:
            raise errors.NotHandedOver("no_session")  # noqa: EM101
        return self._session

    def _renew(self) -> None:
        self._renew_after = self._loop.time() + self._renewal_pause_s
        opened = self._open_session(self._reported, lambda reason: self._replace(opened, reason))
        self._session = opened

    def _replace(self, broken: Session, reason: str) -> None:
        """After a fatal error an idempotent producer takes nothing ever again. Its successor starts a new sequence.

        The events that the broken one held are reported as failed, and their senders are told "unknown".
        """
        if broken is not self._session:
            return
        _log.error("kafka producer replaced after a fatal error", reason=reason)
        self._session = None
        broken.retire()

    def _reported(self, reports: Sequence[sessions.Report]) -> None:
        self.in_flight -= len(reports)
        for future, error in reports:
            if future.done():  # given up, or its sender went away
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(errors.OutcomeUnknown(error.name()))
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()

    def _give_up_expired(self) -> None:
        now = self._loop.time()
        while self._waiting and (self._waiting[0][0] <= now or self._waiting[0][1].done()):
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_exception(errors.OutcomeUnknown("timeout"))
        self._sweep = None
        if self._waiting:
            self._sweep = self._loop.call_at(self._waiting[0][0], self._give_up_expired)
