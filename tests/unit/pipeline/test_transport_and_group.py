"""docs/design.md 3: what the batch consumer tells Kafka's group of its place, and asks of it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, RebalanceInProgressError
from aiokafka.structs import OffsetAndMetadata

from broker.errors import BrokerUnavailable
from tests.unit.pipeline.consuming import ONE, TWO, Consumer, Thread


async def test_kafka_is_told_of_assigned_partitions_and_never_of_none() -> None:
    """2.5: an empty map crashes the worker."""
    consumer = Consumer()
    consumer.assigned = {TWO}
    await consumer.tell_kafka({ONE: 5}, "id")
    assert consumer.committed == []
    await consumer.tell_kafka({ONE: 5, TWO: 6}, "id")
    [told] = consumer.committed
    assert {(tp.partition, at.offset, at.metadata) for tp, at in told.items()} == {(1, 6, "id")}


async def test_kafka_is_asked_for_the_place_of_partitions_with_its_note() -> None:
    consumer = Consumer()
    consumer.answer = lambda asked: _at_once({tp: OffsetAndMetadata(5, "id") for tp in asked})
    assert await consumer.told_kafka({TWO}) == {TWO: (5, "id")}


async def test_a_coordinator_that_does_not_answer_is_a_broker_that_is_away() -> None:
    """aiokafka would go on asking, and nobody would know that Kafka is away."""
    consumer = Consumer(request_timeout=5.0)
    consumer.answer = lambda _: asyncio.sleep(3600)
    with pytest.raises(BrokerUnavailable):
        await consumer.told_kafka({ONE})


async def test_what_kafka_says_instead_of_the_place_is_worth_another_try_unless_it_is_a_missing_right() -> None:
    for failure, meaning in (
        (KafkaError("UnknownError"), BrokerUnavailable),
        (GroupAuthorizationFailedError("group"), GroupAuthorizationFailedError),
    ):
        consumer = Consumer()
        consumer.answer = lambda _, failure=failure: _at_once(failure)  # type: ignore[misc]
        with pytest.raises(meaning):
            await consumer.told_kafka({ONE})


async def test_a_consumer_thread_that_stands_still_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A question that never ends would excuse the worker for ever."""
    monkeypatch.setattr(Thread, "call_thread", lambda *_: asyncio.sleep(3600))
    with pytest.raises(TimeoutError, match="the thread of the consumer does not answer"):
        await Consumer(request_timeout=0.02).told_kafka({ONE})


async def _at_once(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer


def test_a_member_has_no_name_before_its_consumer_is_started() -> None:
    consumer = Consumer()
    named = SimpleNamespace(_coordinator=SimpleNamespace(member_id="one"))
    for inner, name in ((None, ""), (SimpleNamespace(_coordinator=None), ""), (named, "one")):
        consumer._thread._consumer = inner  # noqa: SLF001
        assert consumer.member_id == name


async def test_a_commit_waits_for_the_end_of_a_rebalance() -> None:
    """Sent behind a join it would be refused for its old generation, and aiokafka would join once more."""
    consumer = Consumer()
    for rebalancing in ({"_performed_join_prepare": True}, {"_rejoin_needed_fut": SimpleNamespace(done=lambda: True)}):
        between = vars(consumer.coordinator).copy()
        vars(consumer.coordinator).update(rebalancing)
        with pytest.raises(RebalanceInProgressError):
            await consumer.tell_kafka({ONE: 5}, "id")
        vars(consumer.coordinator).update(between)
    assert consumer.committed == []
