"""docs/design.md 3: what the batch consumer does differently from Faust's, and what of Faust it leans on."""

import asyncio
import hashlib
import inspect
import socket
from collections.abc import Callable, Mapping
from importlib import metadata
from types import SimpleNamespace
from typing import Any

import aiokafka
import pytest
from aiokafka import client as aiokafka_client
from aiokafka.consumer import fetcher as aiokafka_fetcher
from aiokafka.consumer import group_coordinator, subscription_state
from aiokafka.errors import IllegalStateError
from faust.app import base as faust_app
from faust.tables import recovery as faust_recovery
from faust.transport import consumer as faust_consumer
from faust.transport.drivers import aiokafka as faust_driver
from faust.types import TP
from structlog.testing import capture_logs

from devstack import ports
from pipeline import batches, errors, transport
from tests.support import eventually
from tests.support.fakes.counting import records
from tests.unit.pipeline.consuming import ONE, TWO, Consumer, Seeker


async def test_a_fetch_comes_as_one_message_per_partition_whose_value_is_its_records() -> None:
    consumer = Consumer()
    messages = await consumer.all()
    assert [tp for tp, _ in messages] == [ONE, TWO]
    assert [message.value for _, message in messages] == [
        batches.Batch(0, records(3, 4)),
        batches.Batch(1, records(8)),
    ]
    assert [message.key for _, message in messages] == [None, None]
    assert consumer.transport.fetches == 1


async def test_the_generation_is_read_after_the_fetch() -> None:
    """A generation read before it drops the first good fetch after every rebalance."""
    consumer = Consumer()
    consumer.during_fetch = lambda: setattr(consumer.app, "consumer_generation_id", 2)
    assert len(await consumer.all()) == 2


@pytest.mark.parametrize(
    ("holder", "name", "changed"), [("app", "consumer_generation_id", 2), ("", "flow_active", False)]
)
async def test_a_rebalance_in_the_middle_of_a_fetch_ends_it(holder: str, name: str, changed: Any) -> None:
    consumer = Consumer()
    seen = []
    async for tp, _ in consumer.getmany(1.0):
        seen.append(tp)
        setattr(getattr(consumer, holder) if holder else consumer, name, changed)
    assert seen == [ONE]


async def test_a_fetch_that_a_rebalance_overtook_is_dropped_and_the_position_goes_back() -> None:
    consumer = Consumer()
    consumer.during_fetch = lambda: setattr(consumer, "flow_active", False)
    assert await consumer.all() == []
    assert consumer.sought == [{ONE: 7, TWO: 9}]


async def test_a_fetch_without_records_proves_movement_all_the_same() -> None:
    consumer = Consumer()
    consumer.fetched = {}
    assert await consumer.all() == []
    assert consumer.transport.fetches == 1


async def test_partitions_are_sought_to_where_the_store_says_they_are() -> None:
    consumer = Consumer()
    await consumer.perform_seek()
    assert consumer.sought == [{ONE: 7, TWO: 9}]


async def test_while_a_store_is_away_partitions_are_paused_and_sought_when_it_is_back() -> None:
    """However long: Faust goes on meanwhile, and no process ends."""
    seeker = Seeker(starts=None)
    seeker.asking = True
    consumer = Consumer(seeker, request_timeout=0.02)
    await consumer.perform_seek()
    assert (consumer.sought, consumer._active_partitions) == ([], set())  # noqa: SLF001
    await asyncio.sleep(0.05)  # five times half of the request timeout
    seeker.answer({0: 7, 1: 9})
    await eventually.until(lambda: consumer._active_partitions == {ONE, TWO})  # noqa: SLF001
    assert (consumer.sought, seeker.failures) == ([{ONE: 7, TWO: 9}], [])


async def test_partitions_that_are_taken_away_before_they_were_taken_up_are_not_sought(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def revoked(_consumer: object, _partitions: set[TP]) -> None:
        pass

    monkeypatch.setattr(faust_consumer.Consumer, "on_partitions_revoked", revoked)
    seeker = Seeker(starts=None)
    consumer = Consumer(seeker)
    seeking = asyncio.create_task(consumer.perform_seek())
    await eventually.until(lambda: seeker.asked == [{0, 1}])
    await consumer.on_partitions_revoked({ONE, TWO})
    with pytest.raises(faust_recovery.RebalanceAgain):  # as Faust's own code says it to itself
        await seeking
    seeker.answer({0: 7, 1: 9})
    consumer.assigned = {TWO}
    await consumer.perform_seek()
    assert (consumer.sought, seeker.failures) == ([{TWO: 9}], [])


async def test_a_worker_left_without_partitions_keeps_nobody_waiting_for_its_store(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The coordinator waits for it and hears no heartbeat meanwhile."""

    async def assigned(_consumer: object, _partitions: set[TP], _generation: int) -> None:
        pass

    monkeypatch.setattr(faust_consumer.Consumer, "on_partitions_assigned", assigned)
    seeker = Seeker(starts=None)
    consumer = Consumer(seeker)
    consumer.assigned = set()
    async with asyncio.timeout(1):
        await consumer.on_partitions_assigned(set(), 2)
    await eventually.until(lambda: seeker.asked == [set()])
    consumer._placement.give_up()  # noqa: SLF001


async def test_a_worker_that_fetches_nothing_polls_as_aiokafka_counts_it() -> None:
    """Else a standby worker leaves the group after `broker_max_poll_interval`, and never comes back."""
    subscription = subscription_state.SubscriptionState()
    thread: Any = SimpleNamespace(_consumer=SimpleNamespace(_subscription=subscription))
    subscription._last_fetch_ended -= 3600  # noqa: SLF001
    transport.BatchConsumerThread.polled(thread)
    assert subscription.fetcher_idle_time < 60


@pytest.mark.parametrize(
    ("subscribed", "known", "asks"),
    [({"t"}, {}, 1), ({"t"}, {"t": set()}, 1), ({"t"}, {"t": {0}}, 0), ({"t", "u"}, {"t": {0}}, 1), (set(), {}, 0)],
)
async def test_a_client_asks_for_topics_that_it_knows_nothing_of(
    subscribed: set[str], known: dict[str, set[int]], asks: int
) -> None:
    """A leader that does not know the topic would assign nobody anything, for five minutes."""
    asked: list[None] = []

    async def ask() -> None:
        asked.append(None)

    cluster = SimpleNamespace(partitions_for_topic=known.get)
    client = SimpleNamespace(cluster=cluster, force_metadata_update=ask)
    thread: Any = SimpleNamespace(_consumer=SimpleNamespace(_client=client, subscription=lambda: subscribed))
    await transport.BatchConsumerThread.ask_for_topics(thread)
    assert len(asked) == asks


async def test_a_client_that_is_not_there_yet_asks_for_nothing() -> None:
    thread: Any = SimpleNamespace(_consumer=None)
    await transport.BatchConsumerThread.ask_for_topics(thread)


async def test_a_broker_that_is_silent_keeps_nobody_long_from_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """aiokafka connects to one at a time."""
    monkeypatch.setattr(transport, "_CONNECT_S", 0.2)
    client: Any = aiokafka_client.AIOKafkaClient(request_timeout_ms=600_000)
    client._md_update_waiter = asyncio.get_running_loop().create_future()  # noqa: SLF001 - it is not started
    listener = socket.create_server((ports.HOST, 0))
    with listener:
        address = SimpleNamespace(host=ports.HOST, port=listener.getsockname()[1])
        monkeypatch.setattr(client.cluster, "broker_metadata", lambda _node: address)
        async with asyncio.timeout(20):
            ready = await asyncio.gather(client.ready(1), client.ready(2))
    assert list(ready) == [False, False]


async def test_a_placement_ends_the_process_within_half_of_the_request_timeout() -> None:
    seeker = Seeker(starts=None)
    began = asyncio.get_running_loop().time()
    with pytest.raises(TimeoutError):
        await Consumer(seeker, request_timeout=0.02).perform_seek()
    assert asyncio.get_running_loop().time() - began >= 0.01
    assert [type(failure) for failure in seeker.failures] == [TimeoutError]


async def test_a_placement_that_fails_ends_the_process() -> None:
    failure = errors.LogTruncated("a sentence")
    seeker = Seeker(failure=failure)
    with pytest.raises(errors.LogTruncated):
        await Consumer(seeker).perform_seek()
    assert seeker.failures == [failure]


async def test_in_a_rebalance_only_what_no_rebalance_mends_ends_the_process() -> None:
    for failure, fatal in ((errors.LogTruncated("a sentence"), True), (RuntimeError("not assigned"), False)):
        seeker = Seeker(failure=failure)
        consumer = Consumer(seeker)
        consumer.flow_active = False
        if fatal:
            with pytest.raises(errors.LogTruncated):
                await consumer.all()
        else:
            assert await consumer.all() == []
        assert bool(seeker.failures) is fatal


async def test_why_no_place_was_taken_is_told_in_words_that_quote_nothing() -> None:
    consumer = Consumer(Seeker(failure=KeyError("cookie-17")))
    consumer.flow_active = False
    with capture_logs() as logs:
        await consumer.all()
    assert [log["error"].partition(":")[0] for log in logs] == ["KeyError"]
    assert "cookie-17" not in str(logs)


async def test_a_partition_that_goes_while_it_is_sought_in_is_another_workers() -> None:
    """As aiokafka says it, in whose thread the partition went."""

    async def refuse(partitions: Mapping[TP, int]) -> None:
        raise IllegalStateError(partitions)

    consumer = Consumer()
    consumer.seek_wait = refuse  # type: ignore[method-assign]
    await consumer.seek(ONE, 5)


async def test_a_seek_of_a_partition_that_went_is_left_out() -> None:
    consumer = Consumer()
    consumer.assigned = {TWO}
    await consumer.seek(ONE, 3)
    await consumer.seek(TWO, 4)
    assert consumer.sought == [{TWO: 4}]


def test_a_full_buffer_takes_no_partition_out_of_the_fetch() -> None:
    consumer = Consumer()
    consumer.on_buffer_full(ONE)
    consumer.on_buffer_drop(ONE)
    assert consumer._active_partitions == {ONE, TWO}  # noqa: SLF001
    assert consumer._buffered_partitions == set()  # noqa: SLF001


def test_no_read_offset_is_remembered_so_that_nothing_sought_back_to_is_dropped() -> None:
    remembered = transport._NoReadOffsets()  # noqa: SLF001
    remembered[ONE] = 5
    remembered.update({TWO: 6})
    assert remembered[ONE] is None
    assert dict(remembered) == {}
    assert remembered.pop(ONE, None) is None


LEANED_ON: dict[str, tuple[Callable[..., Any], str]] = {
    "Consumer.getmany": (faust_consumer.Consumer.getmany, "4b168d84882a"),
    "Consumer._wait_next_records": (faust_consumer.Consumer._wait_next_records, "6218e1969a63"),  # noqa: SLF001
    "Consumer._drain_messages": (faust_consumer.Consumer._drain_messages, "44a2500309e8"),  # noqa: SLF001
    "Consumer.perform_seek": (faust_consumer.Consumer.perform_seek, "0e8c130ff4b0"),
    "Consumer.on_buffer_full": (faust_consumer.Consumer.on_buffer_full, "c8961679e0bc"),
    "driver.Consumer._to_message": (faust_driver.Consumer._to_message, "7c24f6511b2f"),  # noqa: SLF001
    "driver.AIOKafkaConsumerThread._seek_wait": (faust_driver.AIOKafkaConsumerThread._seek_wait, "9d221e816d94"),  # noqa: SLF001
    "driver.AIOKafkaConsumerThread.getmany": (faust_driver.AIOKafkaConsumerThread.getmany, "26fc5fc9f3b6"),
    "Recovery._resume_streams": (faust_recovery.Recovery._resume_streams, "d986a6710c1a"),  # noqa: SLF001
    "Recovery._restart_recovery": (faust_recovery.Recovery._restart_recovery.fun, "6bd8a8558a2d"),  # noqa: SLF001
    "Consumer.pause_partitions": (faust_consumer.Consumer.pause_partitions, "27a1c94bdacd"),
    "Consumer.resume_partitions": (faust_consumer.Consumer.resume_partitions, "afe6b7c02a41"),
    "App._on_partitions_revoked": (faust_app.App._on_partitions_revoked, "d5c895bbe57d"),  # noqa: SLF001
    "Fetcher.fetched_records": (aiokafka_fetcher.Fetcher.fetched_records, "be4348896b9b"),
    "GroupCoordinator._perform_assignment": (group_coordinator.GroupCoordinator._perform_assignment, "a5cf61fa9732"),  # noqa: SLF001
    "BaseCoordinator._handle_metadata_update": (
        group_coordinator.BaseCoordinator._handle_metadata_update,  # noqa: SLF001
        "b2832b6d82be",
    ),
    "AIOKafkaClient._get_conn": (aiokafka_client.AIOKafkaClient._get_conn, "68ce5d839171"),  # noqa: SLF001
    "AIOKafkaClient.bootstrap": (aiokafka_client.AIOKafkaClient.bootstrap, "198943b004e5"),
    "AIOKafkaClient.force_metadata_update": (aiokafka_client.AIOKafkaClient.force_metadata_update, "cb7befef21c8"),
    "AIOKafkaClient.set_topics": (aiokafka_client.AIOKafkaClient.set_topics, "9f9b55d6d899"),
    "GroupCoordinator.ensure_active_group": (group_coordinator.GroupCoordinator.ensure_active_group, "33c84c1a9301"),
    "GroupCoordinator._heartbeat_routine": (group_coordinator.GroupCoordinator._heartbeat_routine, "61d010289522"),  # noqa: SLF001
    "SubscriptionState.fetch_context": (subscription_state.SubscriptionState.fetch_context, "ff2a654dca23"),
    "AIOKafkaConsumer.seek": (aiokafka.AIOKafkaConsumer.seek, "a9430f1f3b9a"),
}


@pytest.mark.parametrize("name", LEANED_ON)
def test_what_the_transport_leans_on_is_as_it_was_read(name: str) -> None:
    """Fails with a new version of Faust or aiokafka: compare the new source with pipeline/transport.py, then renew."""
    function, digest = LEANED_ON[name]
    assert hashlib.sha256(inspect.getsource(function).encode()).hexdigest()[:12] == digest


def test_the_versions_are_those_that_were_read() -> None:
    assert (metadata.version("faust-streaming"), metadata.version("aiokafka")) == ("0.15.3", "0.14.0")
