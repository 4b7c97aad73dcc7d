"""What the producer promises about an event, with the client library's part played by a script."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from confluent_kafka import KafkaError, KafkaException

from broker import errors, producer, sessions

LIMITS = producer.Limits(timeout_ms=50, in_flight=3)


class Script:
    """Plays sessions: takes events until told to refuse them, reports on them when told to."""

    def __init__(self) -> None:
        self.opened: list[ScriptedSession] = []

    def open(self, on_reports: sessions.OnReports, on_fatal: sessions.OnFatal) -> "ScriptedSession":
        self.opened.append(ScriptedSession(on_reports, on_fatal))
        return self.opened[-1]


class ScriptedSession:
    def __init__(self, on_reports: sessions.OnReports, on_fatal: sessions.OnFatal) -> None:
        self.on_reports, self.on_fatal = on_reports, on_fatal
        self.taken: list[sessions.Future] = []
        self.refusal: Exception | None = None
        self.patience_s: float | None = None
        self.ended = False

    def produce(self, key: bytes, value: bytes, headers: sessions.Headers | None, future: sessions.Future) -> None:
        if self.refusal:
            raise self.refusal
        self.taken.append(future)

    def report(self, errors: Sequence[KafkaError | None]) -> None:
        reported, self.taken = self.taken[: len(errors)], self.taken[len(errors) :]
        self.on_reports(list(zip(reported, errors, strict=True)))

    def retire(self, patience_s: float) -> None:
        self.patience_s = patience_s

    def drop(self) -> int:
        """What `sessions.Session` does when its patience is over."""
        dropped = len(self.taken)
        self.report([KafkaError(KafkaError._PURGE_QUEUE)] * dropped)  # noqa: SLF001
        self.ended = True
        return dropped

    async def close(self, timeout_s: float) -> int:
        return self.drop()


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def sender(script: Script) -> producer.EventProducer:
    return producer.EventProducer(script.open, LIMITS)


async def test_an_event_is_durable_only_once_it_is_acknowledged(script: Script, sender: producer.EventProducer) -> None:
    future = sender.send(b"k", b"v")
    assert not future.done()

    script.opened[0].report([None])

    await future
    assert sender.in_flight == 0


async def test_an_event_over_the_bound_is_not_handed_over(script: Script, sender: producer.EventProducer) -> None:
    for _ in range(3):
        sender.send(b"k", b"v")

    with pytest.raises(errors.NotHandedOver, match="in_flight_bound"):
        sender.send(b"k", b"v")
    assert len(script.opened[0].taken) == 3


async def test_an_event_that_the_library_has_no_room_for_is_not_handed_over(
    script: Script, sender: producer.EventProducer
) -> None:
    script.opened[0].refusal = BufferError("Local: Queue full")

    with pytest.raises(errors.NotHandedOver, match="queue_full"):
        sender.send(b"k", b"v")
    assert sender.in_flight == 0


async def test_a_failed_delivery_has_an_unknown_outcome(script: Script, sender: producer.EventProducer) -> None:
    future = sender.send(b"k", b"v")

    script.opened[0].report([KafkaError(KafkaError._MSG_TIMED_OUT)])  # noqa: SLF001

    with pytest.raises(errors.OutcomeUnknown, match="_MSG_TIMED_OUT"):
        await future


async def test_events_that_nobody_reports_on_are_given_up_in_their_order_and_still_count_as_in_flight(
    script: Script, sender: producer.EventProducer
) -> None:
    futures = [sender.send(b"k", b"v") for _ in range(3)]

    done, _ = await asyncio.wait(futures, timeout=5)

    assert len(done) == 3
    assert all(str(future.exception()) == "timeout" for future in futures)
    assert sender.in_flight == 3
    script.opened[0].report([None, None, None])
    assert sender.in_flight == 0


async def test_a_later_event_gets_its_own_full_time(script: Script, sender: producer.EventProducer) -> None:
    loop = asyncio.get_running_loop()
    first = sender.send(b"k", b"v")
    with pytest.raises(errors.OutcomeUnknown):
        await first
    sent = loop.time()
    second = sender.send(b"k", b"v")

    with pytest.raises(errors.OutcomeUnknown):
        await second
    assert 0.045 <= loop.time() - sent < 1


async def test_a_sender_that_went_away_does_not_disturb_the_others(
    script: Script, sender: producer.EventProducer
) -> None:
    gone, staying = sender.send(b"k", b"v"), sender.send(b"k", b"v")
    gone.cancel()

    script.opened[0].report([None, None])

    await staying
    assert sender.in_flight == 0


async def test_after_a_fatal_error_a_fresh_session_takes_over_and_the_old_one_still_reports(script: Script) -> None:
    sender = producer.EventProducer(script.open, LIMITS, renewal_pause_s=0)
    held = sender.send(b"k", b"v")
    broken = script.opened[0]

    broken.on_fatal("sequence out of order")
    fresh = sender.send(b"k", b"v")
    script.opened[1].report([None])
    broken.report([KafkaError(KafkaError._FATAL)])  # noqa: SLF001

    await fresh
    with pytest.raises(errors.OutcomeUnknown):
        await held
    assert broken.patience_s == LIMITS.timeout_ms / 1000
    assert sender.in_flight == 0


async def test_an_event_refused_by_a_fatally_broken_session_was_not_handed_over(script: Script) -> None:
    sender = producer.EventProducer(script.open, LIMITS, renewal_pause_s=0)
    script.opened[0].refusal = KafkaException(KafkaError(KafkaError._FATAL, "fenced", fatal=True))  # noqa: SLF001

    with pytest.raises(errors.NotHandedOver):
        sender.send(b"k", b"v")

    sender.send(b"k", b"v")
    assert len(script.opened[1].taken) == 1


async def test_sessions_that_break_at_once_are_not_opened_in_a_tight_circle(script: Script) -> None:
    sender = producer.EventProducer(script.open, LIMITS, renewal_pause_s=60)
    script.opened[0].on_fatal("not allowed")

    for _ in range(100):
        with pytest.raises(errors.NotHandedOver, match="no_session"):
            sender.send(b"k", b"v")
    assert len(script.opened) == 1


async def test_a_second_word_about_the_same_broken_session_changes_nothing(script: Script) -> None:
    sender = producer.EventProducer(script.open, LIMITS, renewal_pause_s=0)
    script.opened[0].on_fatal("once")
    sender.send(b"k", b"v")

    script.opened[0].on_fatal("twice")

    sender.send(b"k", b"v")
    assert len(script.opened) == 2


async def test_a_producer_that_closes_waits_for_the_sessions_that_it_replaced_too(script: Script) -> None:
    sender = producer.EventProducer(script.open, LIMITS, renewal_pause_s=0)
    of_the_first = sender.send(b"k", b"v")
    script.opened[0].on_fatal("fenced")
    of_the_second = sender.send(b"k", b"v")

    assert await sender.close(1) == 2

    assert [session.ended for session in script.opened] == [True, True]
    for future in (of_the_first, of_the_second):
        with pytest.raises(errors.OutcomeUnknown, match="_PURGE_QUEUE"):
            await future


async def test_whoever_waits_for_a_producer_that_closed_without_a_report_is_told_at_once(script: Script) -> None:
    sender = producer.EventProducer(script.open, msgspec.structs.replace(LIMITS, timeout_ms=60_000))
    future = sender.send(b"k", b"v")
    script.opened[0].taken.clear()  # the library hangs

    assert await sender.close(1) == 1

    with pytest.raises(errors.OutcomeUnknown, match="closing"):
        await asyncio.wait_for(future, 5)


async def test_a_closed_producer_takes_nothing(script: Script, sender: producer.EventProducer) -> None:
    assert await sender.close(1) == 0

    with pytest.raises(errors.NotHandedOver, match="closing"):
        sender.send(b"k", b"v")
