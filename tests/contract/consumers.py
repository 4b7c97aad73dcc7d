"""What a broker owes an aiokafka consumer: a mixin, inherited for real Kafka and for the one in memory.

The consumer is real in both. What the workers and their simulation lean on is here: order, places, groups, fences.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol

import aiokafka
import pytest
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import CommitFailedError
from aiokafka.protocol.group import JoinGroupRequest
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from tests.support import eventually

SESSION_S = 3.0
GROUP = "group"


class Cluster(Protocol):
    """A broker with one empty topic of two partitions."""

    topic: str

    async def member(self, topic_listener: "Told", group: str) -> aiokafka.AIOKafkaConsumer:
        """A consumer that has just joined; stopped when the test ends."""

    async def append(self, partition: int, values: Sequence[bytes]) -> None:
        """Records at the end of a partition."""

    async def append_and_mark(self, partition: int, values: Sequence[bytes]) -> None:
        """The same, and an offset behind them that no record has: that of a transaction's marker."""

    async def truncate(self, partition: int, start: int) -> None:
        """What lies below `start` is deleted."""


class Told(ConsumerRebalanceListener):  # type: ignore[misc]
    """What a consumer was told of its partitions, in order: (what, which)."""

    def __init__(self) -> None:
        self.events: list[tuple[str, set[int]]] = []

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self.events.append(("revoked", {each.partition for each in revoked}))

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.events.append(("assigned", {each.partition for each in assigned}))


class Member:
    """A consumer in `group` and what it was told."""

    def __init__(self, consumer: aiokafka.AIOKafkaConsumer, told: Told, topic: str) -> None:
        self.consumer, self.told, self.topic = consumer, told, topic
        self.read: list[tuple[int, int, bytes]] = []

    @property
    def partitions(self) -> set[int]:
        return {each.partition for each in self.consumer.assignment()}

    @property
    def id(self) -> str:
        """As the group knows it."""
        return str(self.consumer._coordinator.member_id)  # noqa: SLF001 - what workers read, too

    @property
    def generation(self) -> int:
        return int(self.consumer._coordinator.generation)  # noqa: SLF001 - as above

    def tp(self, partition: int) -> TopicPartition:
        return TopicPartition(self.topic, partition)

    async def fetch(self, count: int) -> list[tuple[int, int, bytes]]:
        """(partition, offset, value) of the next `count` records; of all that come within a moment where it is 0."""
        found: list[tuple[int, int, bytes]] = []
        async with asyncio.timeout(20):
            while True:
                records = await self.consumer.getmany(timeout_ms=300)
                found += [(each.partition, each.offset, each.value) for many in records.values() for each in many]
                if len(found) >= count and (count or not records):
                    return found

    async def commit(self, partition: int, offset: int, note: str = "") -> None:
        await self.consumer.commit({self.tp(partition): OffsetAndMetadata(offset, note)})

    def fall_silent(self) -> None:
        """No heartbeat leaves it any more."""
        self.consumer._coordinator._do_heartbeat = asyncio.Event().wait  # noqa: SLF001

    async def rejoin(self) -> None:
        """Asks to join once more, and comes back when that request is on its way."""
        coordinator, sent = self.consumer._coordinator, asyncio.Event()  # noqa: SLF001
        send = coordinator._send_req  # noqa: SLF001

        async def watched(request: object) -> object:
            if isinstance(request, JoinGroupRequest):
                sent.set()  # nothing else runs before it is written: the connection is there
            return await send(request)

        coordinator._send_req = watched  # noqa: SLF001
        coordinator.request_rejoin()
        async with asyncio.timeout(eventually.SECONDS):
            await sent.wait()


def values(first: int, count: int) -> list[bytes]:
    return [b"%d" % number for number in range(first, first + count)]


async def join(cluster: Cluster, group: str = GROUP) -> Member:
    """Joined, with the partitions that it was given."""
    told = Told()
    member = Member(await cluster.member(told, group), told, cluster.topic)
    await eventually.until(lambda: any(what == "assigned" for what, _ in told.events))
    return member


class ConsumersContract:
    """Inherit it and give a fixture `cluster`."""

    # -- records and places --------------------------------------------------------------------------------------------

    async def test_records_come_once_and_in_the_order_of_their_offsets(self, cluster: Cluster) -> None:
        member = await join(cluster)
        await cluster.append(0, values(0, 30))
        await cluster.append(0, values(30, 30))
        assert await member.fetch(60) == [(0, number, b"%d" % number) for number in range(60)]
        assert await member.fetch(0) == []

    async def test_a_fetch_goes_on_where_it_is_sought_to(self, cluster: Cluster) -> None:
        await cluster.append(1, values(0, 10))
        member = await join(cluster)
        await member.fetch(10)
        assert await member.consumer.position(member.tp(1)) == 10
        member.consumer.seek(member.tp(1), 7)
        assert await member.consumer.position(member.tp(1)) == 7
        assert [offset for _, offset, _ in await member.fetch(3)] == [7, 8, 9]

    async def test_what_was_fetched_ahead_is_dropped_by_a_seek(self, cluster: Cluster) -> None:
        await cluster.append(0, values(0, 20))
        member = await join(cluster)
        await member.consumer.getmany(timeout_ms=5_000, max_records=5)
        member.consumer.seek(member.tp(0), 15)
        assert [offset for _, offset, _ in await member.fetch(5)] == [15, 16, 17, 18, 19]

    async def test_a_log_says_where_it_begins_and_ends(self, cluster: Cluster) -> None:
        await cluster.append(0, values(0, 12))
        await cluster.truncate(0, 5)
        member = await join(cluster)
        both = [member.tp(0), member.tp(1)]
        assert await member.consumer.beginning_offsets(both) == {both[0]: 5, both[1]: 0}
        assert await member.consumer.end_offsets(both) == {both[0]: 12, both[1]: 0}

    async def test_an_offset_without_a_record_is_stepped_over(self, cluster: Cluster) -> None:
        await cluster.append_and_mark(0, values(0, 3))
        await cluster.append(0, values(3, 2))
        member = await join(cluster)
        assert [offset for _, offset, _ in await member.fetch(5)] == [0, 1, 2, 4, 5]

    async def test_a_place_passes_an_offset_without_a_record_at_the_end(self, cluster: Cluster) -> None:
        await cluster.append_and_mark(0, values(0, 3))
        member = await join(cluster)
        assert len(await member.fetch(3)) == 3
        async with asyncio.timeout(eventually.SECONDS):
            while await member.consumer.position(member.tp(0)) != 4:
                assert await member.fetch(0) == []

    async def test_a_place_below_the_log_moves_to_its_beginning(self, cluster: Cluster) -> None:
        await cluster.append(0, values(0, 4))
        await cluster.append(0, values(4, 4))
        member = await join(cluster)
        await member.fetch(8)
        await cluster.truncate(0, 6)
        member.consumer.seek(member.tp(0), 2)
        assert [offset for _, offset, _ in await member.fetch(2)] == [6, 7]

    async def test_a_client_is_told_of_the_topics_that_it_asks_for_and_of_none_when_it_begins(
        self, cluster: Cluster
    ) -> None:
        """A leader that never was told more assigns nobody anything (pipeline/transport.py)."""
        client = (await join(cluster)).consumer._client  # noqa: SLF001
        assert client.cluster.topics() == {cluster.topic}
        await client.bootstrap()
        assert client.cluster.topics() == set()
        await client.add_topic("no-such-topic")
        assert client.cluster.topics() == {cluster.topic}

    # -- groups --------------------------------------------------------------------------------------------------------

    async def test_a_lone_member_has_every_partition(self, cluster: Cluster) -> None:
        member = await join(cluster)
        assert member.told.events == [("revoked", set()), ("assigned", {0, 1})]
        assert member.generation == 1

    async def test_a_member_that_joins_gets_its_share_in_a_new_generation(self, cluster: Cluster) -> None:
        one = await join(cluster)
        two = await join(cluster)
        await eventually.until(lambda: len(one.told.events) == 4)
        assert one.told.events[2:] == [("revoked", {0, 1}), ("assigned", one.partitions)]
        assert one.partitions | two.partitions == {0, 1}
        assert len(one.partitions) == len(two.partitions) == 1
        assert one.generation == two.generation == 2

    async def test_what_was_revoked_is_not_fetched(self, cluster: Cluster) -> None:
        one = await join(cluster)
        two = await join(cluster)
        await eventually.until(lambda: len(one.partitions) == 1)
        for partition in (0, 1):
            await cluster.append(partition, values(0, 5))
        assert {partition for partition, _, _ in await one.fetch(5)} == one.partitions
        assert {partition for partition, _, _ in await two.fetch(5)} == two.partitions
        assert await one.fetch(0) == []

    async def test_who_leaves_hands_its_partitions_over(self, cluster: Cluster) -> None:
        one = await join(cluster)
        two = await join(cluster)
        await one.consumer.stop()
        await eventually.until(lambda: two.partitions == {0, 1})
        assert two.generation == 3

    async def test_who_is_silent_for_its_session_loses_its_partitions(self, cluster: Cluster) -> None:
        one = await join(cluster)
        one.fall_silent()
        began = asyncio.get_running_loop().time()
        two = await join(cluster)
        assert two.partitions == {0, 1}
        assert asyncio.get_running_loop().time() - began > SESSION_S / 2

    # -- commits -------------------------------------------------------------------------------------------------------

    async def test_a_commit_is_there_for_the_next_member_with_its_note(self, cluster: Cluster) -> None:
        one = await join(cluster)
        await one.commit(0, 7, "a note")
        await one.consumer.stop()
        two = await join(cluster)
        found = await two.consumer._coordinator.fetch_committed_offsets([two.tp(0), two.tp(1)])  # noqa: SLF001
        assert found == {two.tp(0): OffsetAndMetadata(7, "a note")}

    async def test_a_commit_of_another_group_is_nothing_to_this_one(self, cluster: Cluster) -> None:
        one = await join(cluster)
        await one.commit(0, 7)
        two = await join(cluster, "another")
        assert await two.consumer.committed(two.tp(0)) is None

    async def test_a_commit_of_a_member_that_was_dropped_is_refused(self, cluster: Cluster) -> None:
        one = await join(cluster)
        one.fall_silent()
        await join(cluster)
        with pytest.raises(CommitFailedError):
            await one.commit(0, 7)

    async def test_a_commit_behind_a_join_is_looked_at_behind_it_and_refused(self, cluster: Cluster) -> None:
        """Requests of one connection are answered in turn, and the join waits for the other member: what made a worker
        that commits once a second join for ever (pipeline/transport.py)."""
        one = await join(cluster)
        two = await join(cluster)
        await eventually.until(lambda: one.generation == 2)
        two.fall_silent()
        await one.rejoin()
        with pytest.raises(CommitFailedError):
            await one.commit(min(one.partitions, default=0), 7)
