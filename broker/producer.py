"""Events into the log: an event is durable when `send`'s future is done, and what is known when it fails is exact.

What a caller may tell its client rests on one line: an event is *handed over* when the client library's `produce` takes
it. Before that line it is stored nowhere (`errors.NotHandedOver`). After it every failure is `errors.OutcomeUnknown`:
the library goes on trying, for an event that it gave up alone could make others end up in the log twice.

So events that nobody waits for any more stay in the library, and count against the bound of events in flight. Where no
partition takes any, that is as it should be: a client that is told "no" at once knows more than one that is told
"unknown" later, and what is held arrives when Kafka is back. Where one partition takes none while others do, its events
would fill the bound, and the others got "no" for as long as that lasts. Therefore a session of which more than half the
bound is given up, while others are acknowledged, is replaced. It takes nothing more and has one timeout to end in: in
that time every event of it is acknowledged or answered "unknown". Then all that is left of it is dropped at once, and
it ends: with nothing sent after what was dropped, nothing is numbered anew, so nothing comes twice; and nothing that
was acknowledged is among it. (A bound per partition would need the partition of each event before it is handed over,
which only the library knows cheaply, and would refuse a burst that the whole has room for.)
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, Self

import msgspec
from confluent_kafka import KafkaError, KafkaException

from broker import errors, pending, sessions
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

    def retire(self, patience_s: float) -> None:
        """End once everything is reported on, by dropping what is left after `patience_s`."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come from it."""

    async def close(self, timeout_s: float) -> int:
        """`retire`, and wait for the end. How many events were dropped."""


OpenSession = Callable[[sessions.OnReports, sessions.OnFatal], Session]


class EventProducer:
    """Sends events of one topic from one event loop; made inside it."""

    def __init__(self, open_session: OpenSession, limits: Limits, renewal_pause_s: float = RENEWAL_PAUSE_S) -> None:
        """`open_session` is called at once, and again for a successor; after a fatal error once a pause at most."""
        self._open_session = open_session
        self._limits = limits
        self._timeout_s = limits.timeout_ms / 1000
        self._loop = asyncio.get_running_loop()
        self._pending = pending.Pending(self._timeout_s, self._make_room)
        self._session: Session | None = None
        self._retired: list[Session] = []
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

    @property
    def in_flight(self) -> int:
        """Events handed over and not yet reported on."""
        return self._pending.count

    def send(self, key: bytes, value: bytes, headers: sessions.Headers | None = None) -> sessions.Future:
        """Hand over an event. The future is done when all in-sync replicas hold it.

        Raises `errors.NotHandedOver` at once; the future raises `errors.OutcomeUnknown` within the timeout.
        """
        if self._pending.count >= self._limits.in_flight:
            raise errors.NotHandedOver("in_flight_bound")  # noqa: EM101 - a word for logs and metrics
        future = self._loop.create_future()
        self._hand_over(key, value, headers, future)
        self._pending.add(future)
        return future

    async def close(self, timeout_s: float) -> int:
        """Take no more events and wait for the reports of those in flight, of sessions replaced before as well.

        Returns how many Kafka did not acknowledge: these are sent no more, and whoever waits is told "unknown". Takes
        about a second longer than `timeout_s` at most.
        """
        self._closing = True
        self._retired = self._unended()
        ending = [*self._retired, self._session] if self._session else self._retired
        dropped = await asyncio.gather(*(session.close(timeout_s) for session in ending))
        self._pending.end()
        return sum(dropped) + self.in_flight

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
        opened = self._open_session(self._pending.report, lambda reason: self._replace(opened, reason))
        self._session = opened

    def _replace(self, broken: Session, reason: str) -> None:
        """After a fatal error an idempotent producer takes nothing ever again. Its successor starts a new sequence.

        The events that the broken one held are reported as failed, and their senders are told "unknown".
        """
        if broken is not self._session:
            return
        _log.error("kafka producer replaced after a fatal error", reason=reason)
        self._retire(broken)

    def _make_room(self) -> None:
        """Replace the session if most of what it holds was given up while others are acknowledged; one at a time."""
        stuck = self._pending.others_pass and self._pending.given_up > self._limits.in_flight / 2
        if not stuck or self._closing or self._session is None or self._unended():
            return
        _log.error("kafka producer replaced: some partition takes no events", given_up=self._pending.given_up)
        self._retire(self._session)
        self._renew()

    def _retire(self, session: Session) -> None:
        session.retire(self._timeout_s)
        self._retired = [*self._unended(), session]
        self._session = None

    def _unended(self) -> list[Session]:
        return [session for session in self._retired if not session.ended]
