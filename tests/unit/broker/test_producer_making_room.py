"""Events of a partition that takes none do not fill the bound for those of the others."""

import asyncio

import pytest
from confluent_kafka import KafkaError

from broker import errors, producer
from tests.support import virtual_time
from tests.unit.broker.test_producer import Script, ScriptedSession

LIMITS = producer.Limits(timeout_ms=50, in_flight=10)
MORE_THAN_HALF = 6


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def sender(script: Script) -> producer.EventProducer:
    return producer.EventProducer(script.open, LIMITS)


async def _acknowledged(sender: producer.EventProducer, session: ScriptedSession) -> None:
    """An event that its partition takes, while others wait."""
    future = sender.send(b"k", b"v")
    assert session.taken[-1] is future
    session.taken.remove(future)
    session.on_reports([(future, None)])
    await future


async def _held(sender: producer.EventProducer, count: int) -> None:
    """Events that no report comes for, until they are given up; behind them others are acknowledged."""
    futures = [sender.send(b"k", b"v") for _ in range(count)]
    await _acknowledged(sender, _newest(sender))
    for future in futures:
        with pytest.raises(errors.OutcomeUnknown, match="timeout"):
            await future


def _newest(sender: producer.EventProducer) -> ScriptedSession:
    session = sender._session  # noqa: SLF001
    assert isinstance(session, ScriptedSession)
    return session


async def test_a_session_with_most_of_the_bound_given_up_is_replaced_and_may_end_only_when_all_are_answered(
    script: Script, sender: producer.EventProducer
) -> None:
    await _held(sender, MORE_THAN_HALF)

    first, second = script.opened
    assert first.patience_s == LIMITS.timeout_ms / 1000
    await _acknowledged(sender, second)


async def test_what_the_replaced_session_drops_makes_room(script: Script, sender: producer.EventProducer) -> None:
    await _held(sender, MORE_THAN_HALF)
    for _ in range(LIMITS.in_flight - MORE_THAN_HALF):
        sender.send(b"k", b"v")
    with pytest.raises(errors.NotHandedOver, match="in_flight_bound"):
        sender.send(b"k", b"v")

    script.opened[0].drop()

    assert sender.in_flight == LIMITS.in_flight - MORE_THAN_HALF
    await _acknowledged(sender, script.opened[1])


def test_an_event_that_the_replaced_session_still_brings_home_is_acknowledged(script: Script) -> None:
    async def scene() -> None:
        sender = producer.EventProducer(script.open, LIMITS)
        futures = [sender.send(b"k", b"v") for _ in range(MORE_THAN_HALF)]
        await asyncio.sleep(LIMITS.timeout_ms / 2000)
        await _acknowledged(sender, script.opened[0])
        later = sender.send(b"k", b"v")
        await asyncio.wait(futures)
        assert len(script.opened) == 2

        script.opened[0].on_reports([(later, None)])

        await later
        assert [type(future.exception()) for future in futures] == [errors.OutcomeUnknown] * MORE_THAN_HALF

    virtual_time.run(scene())


async def test_half_of_the_bound_given_up_is_left_in_peace(script: Script, sender: producer.EventProducer) -> None:
    await _held(sender, LIMITS.in_flight // 2)

    assert len(script.opened) == 1


async def test_where_nothing_is_acknowledged_nothing_is_dropped_and_what_comes_on_top_is_surely_not_stored(
    script: Script, sender: producer.EventProducer
) -> None:
    await _acknowledged(sender, script.opened[0])
    await asyncio.sleep(0.001)  # the outage begins behind it
    futures = [sender.send(b"k", b"v") for _ in range(LIMITS.in_flight)]

    await asyncio.wait(futures, timeout=5)

    assert len(script.opened) == 1
    with pytest.raises(errors.NotHandedOver, match="in_flight_bound"):
        sender.send(b"k", b"v")


async def test_reports_of_failure_are_no_sign_that_other_partitions_take_events(
    script: Script, sender: producer.EventProducer
) -> None:
    futures = [sender.send(b"k", b"v") for _ in range(MORE_THAN_HALF)]
    failed = sender.send(b"k", b"v")
    script.opened[0].taken.remove(failed)
    script.opened[0].on_reports([(failed, KafkaError(KafkaError._ALL_BROKERS_DOWN))])  # noqa: SLF001

    await asyncio.wait([*futures, failed], timeout=5)

    assert len(script.opened) == 1


async def test_the_next_session_is_replaced_only_when_the_one_before_it_has_ended(
    script: Script, sender: producer.EventProducer
) -> None:
    await _held(sender, MORE_THAN_HALF)
    await _held(sender, 2)
    assert len(script.opened) == 2

    script.opened[0].drop()
    await _held(sender, MORE_THAN_HALF - 2)

    assert len(script.opened) == 3
    assert script.opened[1].patience_s == LIMITS.timeout_ms / 1000


async def test_events_reported_on_late_are_not_given_up_any_more(
    script: Script, sender: producer.EventProducer
) -> None:
    for _ in range(3):
        await _held(sender, LIMITS.in_flight // 2)
        script.opened[0].report([None] * (LIMITS.in_flight // 2))

    assert sender.in_flight == 0
    assert len(script.opened) == 1


async def test_senders_that_went_away_do_not_upset_the_count(script: Script, sender: producer.EventProducer) -> None:
    gone = [sender.send(b"k", b"v") for _ in range(LIMITS.in_flight // 2)]
    for future in gone:
        future.cancel()
    script.opened[0].report([None] * len(gone))

    await _held(sender, MORE_THAN_HALF)

    assert len(script.opened) == 2
