"""Some partitions take no events, because the only broker that has them is frozen or dead: the others go on."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterator

import pytest

from broker import errors, producer
from runtime.settings import KafkaSettings
from tests.support import services, topics, two_brokers
from tests.support.two_brokers import TwoBrokers

# Events come slowly enough that those of the partitions away fill the bound by staying, not by being many at once.
LIMITS = producer.Limits(timeout_ms=1200, in_flight=150)
PAUSE_S = 0.04
HELD = 1.6 * LIMITS.in_flight
SECONDS = 60.0


@pytest.fixture(scope="module")
def brokers() -> Iterator[TwoBrokers]:
    with services.required(), two_brokers.running() as servers:
        yield servers


class Sending:
    """Events of two keys, each of its own number: `there` goes to a partition that stays, `away` to one that leaves."""

    def __init__(self, sender: producer.EventProducer, there: bytes, away: bytes) -> None:
        self._sender, self._there, self._away = sender, there, away
        self._numbers = itertools.count()
        self.acknowledged: set[bytes] = set()
        self.held = 0

    async def until(self, what: Callable[[], bool]) -> None:
        """Both keys in turn, until `what`."""
        async with asyncio.timeout(SECONDS):
            while not what():
                self.send(self._there)
                self.held += self.send(self._away)
                await asyncio.sleep(PAUSE_S)

    async def until_acknowledged(self, *, away: bool) -> None:
        """A new event of that key is acknowledged, sooner or later."""
        values: set[bytes] = set()
        async with asyncio.timeout(SECONDS):
            while not values & self.acknowledged:
                self.send(self._away if away else self._there, values)
                await asyncio.sleep(PAUSE_S)

    def send(self, key: bytes, values: set[bytes] | None = None) -> bool:
        """Whether it was handed over."""
        value = b"%d" % next(self._numbers)
        try:
            future = self._sender.send(key, value)
        except errors.NotHandedOver:
            return False
        future.add_done_callback(lambda done: self._note(done, value))
        if values is not None:
            values.add(value)
        return True

    def _note(self, future: "asyncio.Future[None]", value: bytes) -> None:
        if future.exception() is None:
            self.acknowledged.add(value)


async def _keys(servers: TwoBrokers, kafka: KafkaSettings) -> tuple[bytes, bytes]:
    """One of a partition that stays, and one of a partition that leaves."""
    sender = producer.EventProducer.connect(kafka)
    await asyncio.gather(*(sender.send(b"%d" % number, b"to see where it goes") for number in range(40)))
    await sender.close(SECONDS)
    leaving = servers.leavers(kafka.kafka_topic)
    assert len(leaving) == 2
    lies_in = {message.key() or b"": message.partition() for message in topics.read(servers.staying, kafka.kafka_topic)}
    [there, *_] = [key for key, partition in lies_in.items() if partition not in leaving]
    [away, *_] = [key for key, partition in lies_in.items() if partition in leaving]
    return there, away


@contextlib.contextmanager
def _frozen(servers: TwoBrokers) -> Iterator[None]:
    servers.leaving.pause()
    try:
        yield
    finally:
        servers.leaving.resume()


@contextlib.contextmanager
def _dead(servers: TwoBrokers) -> Iterator[None]:
    servers.leaving.kill()
    try:
        yield
    finally:
        servers.leaving.start()
        servers.leaving.wait_ready()


@pytest.mark.parametrize("leave", [_frozen, _dead])
async def test_the_others_take_events_for_as_long_as_it_lasts_and_no_event_is_there_twice(
    brokers: TwoBrokers, topic: str, leave: Callable[[TwoBrokers], contextlib.AbstractContextManager[None]]
) -> None:
    kafka = brokers.topic(topic)
    there, away = await _keys(brokers, kafka)
    sender = producer.EventProducer.connect(kafka, LIMITS)
    sending = Sending(sender, there, away)
    await sending.until_acknowledged(away=True)

    with leave(brokers):
        await sending.until(lambda: sending.held > HELD)
        await sending.until_acknowledged(away=False)
    await sending.until_acknowledged(away=True)

    await sender.close(SECONDS)
    stored = [value for value in topics.values(brokers.staying, topic) if value.isdigit()]
    assert len(stored) == len(set(stored))
    assert sending.acknowledged <= set(stored)
