"""Faust at batch speed: a transport whose consumer delivers one message per partition and fetch.

Faust's own path costs 74 us of CPU an event, this one 2.7 us (docs/design.md). All that leans on the inside of
faust-streaming 0.15.3 and aiokafka 0.14 is in this file; tests/unit/pipeline/test_transport.py fails when a new
version changes it.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, MutableMapping, Sequence
from functools import cached_property
from typing import Any, Final, NamedTuple, Protocol

from aiokafka import client as aiokafka_client
from aiokafka import conn as aiokafka_conn
from aiokafka.errors import GroupAuthorizationFailedError, IllegalStateError, KafkaError, RebalanceInProgressError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.tables import recovery
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

import stores.errors
from broker.errors import BrokerUnavailable
from pipeline import batches, errors, placement
from runtime import logging, tracebacks

_log = logging.get_logger(__name__)
_LOOK_S: Final = 1.0
_CONNECT_S: Final = 5.0
_QUESTIONS: Final = 5
"""To Kafka, in the time that taking up partitions may take, stores and brokers at hand."""


async def _connect(*broker: Any, **settings: Any) -> Any:
    """A connection to one broker. Raises TimeoutError, or what `aiokafka.conn.create_conn` raises.

    A client of aiokafka connects to one broker after the other, and gives each the time of a whole request: while the
    address of a machine that is gone is waited for, or a broker that is frozen, no other one is connected to.
    """
    async with asyncio.timeout(_CONNECT_S):
        return await aiokafka_conn.create_conn(*broker, **settings)


aiokafka_client.create_conn = _connect


class Seeker(Protocol):
    """Who knows where each partition goes on: the consumer asks whenever it got partitions or lost its place."""

    async def starts(self, partitions: set[int]) -> dict[int, int]:
        """The offset to go on with, of every partition in `partitions`: exactly these are assigned from now on."""

    def is_asking(self) -> bool:
        """Whether a store or a broker is away, and asked again and again where to go on."""

    def seek_failed(self, error: BaseException) -> None:
        """The consumer could not be placed; it would keep its partitions, consume nothing and say nothing."""


class BatchConsumer(driver.Consumer):
    """Faust's consumer, except for what it yields and where it seeks to."""

    transport: "BatchTransport"
    _thread: "BatchConsumerThread"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NoReadOffsets()

    @Service.task
    async def _poll(self) -> None:
        """Polls, as aiokafka counts it, while this event loop runs; whether it moves is the watchdog's to judge.

        A worker that has no partition, or waits for its store, fetches nothing. After `broker_max_poll_interval` of
        that aiokafka leaves the group and does not come back before the next fetch: never, as a rebalance ends all
        fetches until it is through (aiokafka issue 1187).
        """
        async for _ in self.itertimer(self.app.conf.broker_max_poll_interval / 4):
            self._thread.polled()

    @cached_property
    def _placement(self) -> placement.Placement:
        seeker, half = self.transport.seeker, self.app.conf.broker_request_timeout / 2
        return placement.Placement(self._place_all, seeker.is_asking, seeker.seek_failed, half)

    def _new_consumer_thread(self) -> "BatchConsumerThread":
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109 - Faust's own signature
        """One message per partition of a fetch."""
        records, active = await self._wait_next_records(timeout)
        # Read after the fetch, as in the original: a generation read before it is the old one in the first fetch after
        # every rebalance, and that fetch would be dropped with the position already behind it.
        generation = self.app.consumer_generation_id
        self.transport.fetches += 1
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            # A rebalance began while the fetch was out: what came is dropped, so the position must go back.
            await self._place_back()
            return
        for tp, fetched in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                break
            if active is None or tp in active or tp in self._buffered_partitions:
                yield tp, self._batch_message(tp, fetched)

    async def perform_seek(self) -> None:
        """Go to the offsets that the seeker names, not to those that Kafka has committed.

        Ends, or ends the process, within half of `broker_request_timeout`: after the whole of it Faust gives up without
        a word and keeps the partitions. While a store is away they are paused, and sought when it is back.
        """
        self._placement.begin()
        try:
            if not await self._placement.wait():
                self.pause_partitions(self.assignment())
        except placement.GivenUp as error:
            raise recovery.RebalanceAgain from error

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """What is assigned is about to change: the next seek is for what it is then."""
        self._placement.give_up()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Faust seeks only where there is something to seek: a worker that has nothing left is told of that as well.

        Not waited for: the group's coordinator waits for this, and hears no heartbeat meanwhile.
        """
        await super().on_partitions_assigned(assigned, generation_id)
        if not assigned:
            self._placement.begin()

    async def on_stop(self) -> None:
        """A placement under way ends with the consumer."""
        self._placement.give_up()
        await super().on_stop()

    async def seek(self, partition: TP, offset: int) -> None:
        """Fetch on from `offset`; of a partition that is not assigned any more nothing is fetched anyway."""
        if partition in self.assignment():
            with contextlib.suppress(IllegalStateError):  # it went while the consumer's thread was on its way to it
                await self.seek_wait({partition: offset})

    async def tell_kafka(self, ends: Mapping[TP, int], note: str) -> None:
        """Commit `{partition: next offset}` to Kafka; of partitions that are still assigned, and never an empty map.

        `note` is kept beside each offset.

        Not through Faust's own commit, which takes every failure for a reason to end the worker. Raises
        `aiokafka.errors.KafkaError`.
        """
        assigned = self.assignment()
        offsets = {TopicPartition(*tp): OffsetAndMetadata(end, note) for tp, end in ends.items() if tp in assigned}
        if offsets:
            await self._thread.call_thread(self._thread.commit_between_rebalances, offsets)

    @property
    def member_id(self) -> str:
        """What Kafka calls this member of the group; empty before it has joined."""
        consumer = self._thread._consumer  # noqa: SLF001
        coordinator = consumer._coordinator if consumer is not None else None  # noqa: SLF001 - None until it is started
        return coordinator.member_id if coordinator is not None else ""

    async def told_kafka(self, partitions: Collection[TP]) -> dict[TP, tuple[int, str]]:
        """`(offset, note)` as committed, of each of `partitions` that has such.

        Raises `broker.errors.BrokerUnavailable`, and TimeoutError where the consumer's own thread does not answer.
        """
        half = self.app.conf.broker_request_timeout / 2
        asked = [TopicPartition(*tp) for tp in partitions]
        try:
            async with asyncio.timeout(half):
                found = await self._thread.call_thread(self._thread.told_kafka, asked, half / _QUESTIONS)
        except TimeoutError as error:
            message = f"partitions were not taken up within {half:.0f} s: the thread of the consumer does not answer"
            raise TimeoutError(message) from error
        return {TP(*tp): (committed.offset, committed.metadata) for tp, committed in found.items()}

    def on_buffer_full(self, tp: TP) -> None:
        """The stream's queue bounds memory by itself; taking partitions out of the fetch starves them."""

    def on_buffer_drop(self, tp: TP) -> None:
        """See `on_buffer_full`."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust only logs here that nothing moves. The watchdog looks at the same and ends the process."""

    async def _place_all(self) -> None:
        await self._place()
        self.resume_partitions(self.assignment())

    async def _place(self) -> None:
        assigned = {tp.partition: tp for tp in self.assignment()}
        starts = await self.transport.seeker.starts(set(assigned))
        if starts:
            await self.seek_wait({assigned[partition]: offset for partition, offset in starts.items()})

    async def _place_back(self) -> None:
        """In the middle of a rebalance: the partitions may go at any time, and the rebalance ends with a seek."""
        try:
            async with asyncio.timeout(self.app.conf.broker_request_timeout / 2):
                await self._place()
        except (errors.PipelineError, stores.errors.StoreError) as error:
            self.transport.seeker.seek_failed(error)
            raise
        except Exception as error:
            _log.info("no place taken during a rebalance", error=tracebacks.words(error))

    def _batch_message(self, tp: TP, fetched: list[Any]) -> Any:
        message: Any = self._to_message(tp, fetched[0])
        message.value = batches.Batch(tp.partition, fetched)
        message.key = None
        return message


class BatchConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's thread with a consumer that waits for company: Faust names no least size of a fetch."""

    async def commit_between_rebalances(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Commit; while the group is rebalanced raise `aiokafka.errors.RebalanceInProgressError`.

        Kafka takes up a connection's requests one after the other. A commit that is sent behind a join is looked at
        when the join is through, and refused for its old generation; aiokafka answers that by joining anew. One commit
        a second, and others that take longer to join, make that a rebalance without end.
        """
        consumer = self._ensure_consumer()
        coordinator = consumer._coordinator  # noqa: SLF001 - there is no other way to ask it
        if coordinator._performed_join_prepare or coordinator._rejoin_needed_fut.done():  # noqa: SLF001
            raise RebalanceInProgressError
        await consumer.commit(offsets)

    async def told_kafka(
        self, partitions: Sequence[TopicPartition], patience_s: float
    ) -> dict[TopicPartition, OffsetAndMetadata]:
        """What is committed, notes included. Raises `broker.errors.BrokerUnavailable`.

        aiokafka asks until it is answered: of the two calls that this thread takes at a time, that would be one for as
        long as Kafka is away, and nobody would know that it is.
        """
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001 - `committed` drops the note
        try:
            async with asyncio.timeout(patience_s):
                found: dict[TopicPartition, OffsetAndMetadata] = await coordinator.fetch_committed_offsets(partitions)
        except GroupAuthorizationFailedError:
            raise
        except (KafkaError, TimeoutError) as error:
            message = f"Kafka did not say how far the group is: {error!r}"
            raise BrokerUnavailable(message) from error
        return found

    @Service.task
    async def _ask_for_topics(self) -> None:
        """Ask for the topic, once a second, while this client knows no partition of it.

        The leader of a group that does not know the topic assigns nobody anything. aiokafka asks once, at the
        subscription; where that failed, with the broker away, or was answered with an error, it asks again when its
        metadata is five minutes old. What it learns then it notices by itself, and assigns anew.
        """
        while not self.should_stop:
            await self.sleep(_LOOK_S)
            await self.ask_for_topics()

    async def ask_for_topics(self) -> None:
        """Ask for the partitions of what is subscribed to, unless they are known."""
        consumer = self._consumer
        if consumer is None:
            return
        client = consumer._client  # noqa: SLF001 - there is no other way to ask for it
        if not all(client.cluster.partitions_for_topic(topic) for topic in consumer.subscription()):
            await client.force_metadata_update()

    def polled(self) -> None:
        """Count the time without a fetch from now on."""
        if self._consumer is not None:
            self._consumer._subscription._last_fetch_ended = time.monotonic()  # noqa: SLF001 - there is no other way

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        # Else every event that arrives ends a fetch of its own: at 1,000 events a second a worker, and the broker with
        # it, spend most of their time on fetches of three records.
        consumer._fetch_min_bytes = transport.fetching.least_bytes  # noqa: SLF001
        consumer._fetch_max_wait_ms = int(transport.fetching.longest_wait_s * 1000)  # noqa: SLF001
        return consumer


class Fetching(NamedTuple):
    """A fetch returns with `least_bytes` of records, or after `longest_wait_s` with what there is."""

    least_bytes: int = 1
    longest_wait_s: float = 1.5


class BatchTransport(driver.Transport):
    """Names the consumer. `fetches` counts the fetches that returned, with records or without: proof of movement."""

    Consumer = BatchConsumer

    def __init__(self, *args: Any, seeker: Seeker, fetching: Fetching, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.seeker = seeker
        self.fetching = fetching
        self.fetches = 0


class _NoReadOffsets(MutableMapping[TP, int | None]):
    """No offset was ever read: Faust drops messages below the last one, which a seek back delivers on purpose.

    Which records count is decided by `positions.Positions` alone, from offsets that are stored with the sums.
    """

    def __getitem__(self, tp: TP) -> None:
        return None

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        pass

    def __delitem__(self, tp: TP) -> None:
        pass

    def __iter__(self) -> Iterator[TP]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def pop(self, tp: TP, default: Any = None) -> Any:
        return default
