"""Events straight into the log, with a history of what Kafka said of each."""

import threading
import time
from functools import partial

from confluent_kafka import KafkaError, Message, Producer

from runtime.settings import KafkaSettings
from tests.faults import history, tagging
from tests.faults.background import Background

_END_SECONDS = 90.0
_STEP_SECONDS = 0.01


def missing(acknowledged: int, meant: int) -> list[str]:
    """A sentence if fewer events were acknowledged than were meant to be sent: what was not sent cannot be lost."""
    if acknowledged >= meant:
        return []
    return [f"{acknowledged:,} events were acknowledged, {meant:,} were to be sent"]


class Sender(Background):
    """A thread that sends events named `PREFIX-0`, `PREFIX-1`, ...: `count` of them, or, with a `rate` (a second), on
    and on until `finish`.

    An event that Kafka acknowledged is acknowledged, any other that was handed to the client library unknown.
    """

    def __init__(
        self,
        topic: KafkaSettings,
        log: history.History,
        prefix: str,
        count: int,
        rate: float | None = None,
        **settings: str | float,
    ) -> None:
        """`settings` are librdkafka's, on top of an idempotent producer's."""
        super().__init__("sender")
        self.sent = 0
        self._topic, self._log, self._prefix, self._count, self._rate = topic.kafka_topic, log, prefix, count, rate
        self._open = self._extra = 0
        self._hurry = threading.Event()
        self._producer = Producer(
            {
                "bootstrap.servers": topic.kafka_hosts,
                "enable.idempotence": True,
                "linger.ms": 5,
                "compression.type": "lz4",
                **settings,
            }
        )

    @property
    def done(self) -> bool:
        """All was sent and has ended."""
        return not self._thread.is_alive()

    def burst(self, count: int) -> None:
        """Send so many at once, on top of the rate."""
        self._extra += count

    def finish(self) -> None:
        """Send what is missing of `count` at once, and no more. Raises what `join` does."""
        self._hurry.set()
        self.join()

    def join(self) -> None:
        """Wait until all was sent and has ended. Raises TimeoutError if some of it never does, and BrokeOff."""
        self._await()
        if self._open:
            message = f"{self._open} events neither succeeded nor failed"
            raise TimeoutError(message)

    def _run(self) -> None:
        began = time.monotonic()
        while not self._over.is_set():
            due = self._due(time.monotonic() - began)
            if self.sent >= due and self._is_last:
                break
            while self.sent < due and not self._over.is_set():
                self._send(f"{self._prefix}-{self.sent}", self.sent)
            self._producer.poll(_STEP_SECONDS)
        self._open = self._producer.flush(_END_SECONDS)

    def _end(self) -> None:
        """Sends no more; what is under way ends."""
        self._over.set()
        self.join()

    @property
    def _is_last(self) -> bool:
        return self._rate is None or self._hurry.is_set()

    def _due(self, seconds: float) -> int:
        """How many are to be sent by now."""
        if self._is_last:
            return self._count
        return int(seconds * (self._rate or 0)) + self._extra

    def _send(self, name: str, number: int) -> None:
        key, value = tagging.record(name, number)
        try:
            self._producer.produce(self._topic, value, key, on_delivery=partial(self._ended, name, time.time()))
        except BufferError:
            self._producer.poll(_STEP_SECONDS)
        else:
            self.sent += 1

    def _ended(self, name: str, sent: float, error: KafkaError | None, _message: Message) -> None:
        self._log.note(name, sent, history.ACKNOWLEDGED if error is None else history.UNKNOWN)
