"""The producer against real brokers: alive, frozen, killed and revived."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Iterator

import pytest

from broker import errors, producer, sessions
from devstack.kafka import KafkaServer
from runtime.settings import KafkaSettings
from tests.support import services, topics

LIMITS = producer.Limits(timeout_ms=1500, in_flight=500)
IN_TIME_S = LIMITS.timeout_ms / 1000 + 5
"""On a busy machine. The library's own bound, without ours, is 300 s."""


@pytest.fixture
def own_kafka() -> Iterator[KafkaServer]:
    """A broker that the test may freeze and kill."""
    with services.required(), services.running_kafka() as server:
        yield server
        server.resume()


async def _outcomes(sender: producer.EventProducer, count: int) -> list[BaseException | None]:
    futures = [sender.send(b"k", b"%d" % number) for number in range(count)]
    return await asyncio.gather(*futures, return_exceptions=True)


async def _send_until_acknowledged(sender: producer.EventProducer, value: bytes, seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return await sender.send(b"k", value)
        except errors.ProduceError:
            assert time.monotonic() < deadline, "the producer did not recover"
            await asyncio.sleep(0.05)


async def test_every_acknowledged_event_is_in_the_topic_once_with_its_key_and_headers(
    kafka: KafkaServer, topic: str
) -> None:
    sender = producer.EventProducer.connect(topics.make(kafka, topic))

    await asyncio.gather(*(sender.send(b"key", b"%d" % number, [("id", b"x")]) for number in range(2000)))

    assert await sender.close(10) == 0
    messages = topics.read(kafka, topic)
    assert sorted(int(message.value() or b"") for message in messages) == list(range(2000))
    assert {message.key() for message in messages} == {b"key"}
    assert messages[0].headers() == [("id", b"x")]


async def test_one_event_alone_is_acknowledged_within_milliseconds(kafka: KafkaServer, topic: str) -> None:
    sender = producer.EventProducer.connect(topics.make(kafka, topic))
    await sender.send(b"k", b"the first one opens the connection")

    took = []
    for _ in range(10):
        started = time.monotonic()
        await sender.send(b"k", b"v")
        took.append(time.monotonic() - started)

    assert min(took) < 0.15
    await sender.close(10)


async def test_close_waits_for_the_events_in_flight(kafka: KafkaServer, topic: str) -> None:
    sender = producer.EventProducer.connect(topics.make(kafka, topic))
    futures = [sender.send(b"k", b"%d" % number) for number in range(1000)]

    assert await sender.close(10) == 0

    assert all(future.done() and future.exception() is None for future in futures)
    assert len(topics.values(kafka, topic)) == 1000


async def test_with_a_frozen_broker_events_end_as_unknown_in_time_and_those_over_the_bound_are_refused_at_once(
    own_kafka: KafkaServer, topic: str
) -> None:
    sender = producer.EventProducer.connect(topics.make(own_kafka, topic), LIMITS)
    await _send_until_acknowledged(sender, b"before")
    own_kafka.pause()
    started = time.monotonic()

    futures = [sender.send(b"k", b"held") for _ in range(LIMITS.in_flight)]
    with pytest.raises(errors.NotHandedOver):
        sender.send(b"k", b"refused")
    outcomes = await asyncio.gather(*futures, return_exceptions=True)

    assert time.monotonic() - started < IN_TIME_S
    assert all(isinstance(outcome, errors.OutcomeUnknown) for outcome in outcomes)
    own_kafka.resume()
    await _send_until_acknowledged(sender, b"after")
    await sender.close(10)
    stored = topics.values(own_kafka, topic)
    assert b"refused" not in stored
    assert stored[0] == b"before"
    assert stored[-1] == b"after"


async def test_a_killed_broker_costs_no_acknowledged_event_and_the_producer_finds_it_again(
    own_kafka: KafkaServer, topic: str
) -> None:
    sender = producer.EventProducer.connect(topics.make(own_kafka, topic, partitions=1), LIMITS)
    await _send_until_acknowledged(sender, b"first")
    before = await _outcomes(sender, 200)
    own_kafka.kill()
    during = await _outcomes(sender, 200)
    own_kafka.start()
    await asyncio.to_thread(own_kafka.wait_ready)

    await _send_until_acknowledged(sender, b"after")

    await sender.close(10)
    stored = topics.values(own_kafka, topic)
    assert before == [None] * 200
    assert all(isinstance(outcome, errors.OutcomeUnknown) for outcome in during)
    assert stored[stored.index(b"0") :][:200] == [b"%d" % number for number in range(200)]
    assert stored[-1] == b"after"


async def test_a_broker_frozen_again_and_again_has_no_event_twice(own_kafka: KafkaServer, topic: str) -> None:
    sender = producer.EventProducer.connect(topics.make(own_kafka, topic, partitions=1), LIMITS)
    await _send_until_acknowledged(sender, b"first")
    sending = asyncio.create_task(_send_steadily(sender))
    for _ in range(4):
        own_kafka.pause()
        await asyncio.sleep(1.3 * LIMITS.timeout_ms / 1000)  # some expire, and some are still being tried
        own_kafka.resume()
        await _send_until_acknowledged(sender, b"between")
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)

    assert await sender.close(30) == 0

    numbered = [value for value in topics.values(own_kafka, topic) if value.isdigit()]
    assert numbered
    assert len(numbered) == len(set(numbered))


async def test_without_any_broker_an_event_ends_as_unknown_in_time() -> None:
    sender = producer.EventProducer.connect(KafkaSettings(kafka_hosts="127.0.0.1:1"), LIMITS)
    started = time.monotonic()

    with pytest.raises(errors.OutcomeUnknown):
        await sender.send(b"k", b"v")

    assert time.monotonic() - started < IN_TIME_S
    assert await sender.close(0.5) == 1


async def _send_steadily(sender: producer.EventProducer) -> None:
    """Events that are all numbers of their own, until cancelled; their outcomes are nobody's concern."""
    for number in itertools.count():
        with contextlib.suppress(errors.NotHandedOver):
            sender.send(b"k", b"%d" % number).add_done_callback(lambda future: future.exception())
        await asyncio.sleep(0.005)


async def test_a_replaced_session_leaves_neither_events_nor_threads_behind(kafka: KafkaServer, topic: str) -> None:
    settings = topics.make(kafka, topic)
    config = sessions.config(settings.kafka_hosts, timeout_ms=5000, in_flight=1000, linger_ms=2)
    fatal: list[sessions.OnFatal] = []

    def opened(on_reports: sessions.OnReports, on_fatal: sessions.OnFatal) -> sessions.Session:
        fatal.append(on_fatal)
        return sessions.Session(config, topic, on_reports, on_fatal)

    sender = producer.EventProducer(opened, producer.Limits(timeout_ms=20_000, in_flight=500), renewal_pause_s=0)
    first = [sender.send(b"k", b"first") for _ in range(100)]
    fatal[0]("as the library would say it")
    second = [sender.send(b"k", b"second") for _ in range(100)]

    await asyncio.gather(*first, *second)

    assert len(fatal) == 2
    assert await sender.close(10) == 0
    assert sorted(topics.values(kafka, topic)) == [b"first"] * 100 + [b"second"] * 100
