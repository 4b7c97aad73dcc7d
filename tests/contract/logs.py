"""What a worker may ask of its topic and of its group beside consuming: mixins, for Kafka and for those in memory."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

import pytest

from broker import errors as broker_errors
from pipeline import errors
from pipeline.log import Log
from pipeline.membership import Groups
from tests.contract import consumers
from tests.contract.consumers import GROUP, join, values
from tests.support import eventually


class TopicLog(Log, Protocol):
    """`pipeline.log.Log` and `pipeline.watchdog.Topic`."""

    async def with_records(self, starts: Mapping[int, int]) -> set[int]:
        """See `pipeline.watchdog.Topic`."""


class Topic(Protocol):
    """One empty topic of two partitions, the one that `log` began with."""

    log: TopicLog

    async def append(self, partition: int, values: list[bytes]) -> None:
        """Records at the end of a partition."""

    async def append_and_mark(self, partition: int, values: list[bytes]) -> None:
        """The same, and an offset behind them that no record has."""

    async def truncate(self, partition: int, start: int) -> None:
        """What lies below `start` is deleted."""

    async def go_away(self) -> None:
        """From now on `log` reaches no broker."""


class Replaceable(Topic, Protocol):
    async def replace(self) -> None:
        """The topic is deleted, and there is another one of its name."""


class GroupLog(TopicLog, Groups, Protocol):
    """What is asked of groups too."""


class Cluster(consumers.Cluster, Protocol):
    """Whose consumers are asked about. `group` is how the log knows a group that members know by `name`."""

    log: GroupLog

    def group(self, name: str) -> str: ...

    async def go_away(self) -> None: ...


class TopicContract:
    """Inherit it and give a fixture `cluster`, a `Topic`."""

    async def test_each_partition_is_told_from_its_beginning_to_its_end(self, cluster: Topic) -> None:
        assert await cluster.log.offsets() == {0: (0, 0), 1: (0, 0)}
        await cluster.append(0, values(0, 7))
        await cluster.truncate(0, 3)
        await cluster.append_and_mark(1, values(0, 2))
        assert await cluster.log.offsets() == {0: (3, 7), 1: (0, 3)}

    async def test_a_partition_has_records_up_to_its_last_one_whatever_its_end(self, cluster: Topic) -> None:
        await cluster.append_and_mark(1, values(0, 2))
        assert await cluster.log.with_records({0: 0, 1: 1}) == {1}
        assert await cluster.log.with_records({0: 0, 1: 2}) == set()
        await cluster.append(1, values(2, 1))
        assert await cluster.log.with_records({1: 2}) == {1}
        assert await cluster.log.with_records({1: 4}) == set()

    async def test_records_below_the_beginning_are_none(self, cluster: Topic) -> None:
        await cluster.append(0, values(0, 3))
        await cluster.truncate(0, 3)
        assert await cluster.log.with_records({0: 0}) == set()

    async def test_the_topic_that_it_began_with_is_no_other(self, cluster: Topic) -> None:
        await cluster.log.verify()

    async def test_without_a_broker_there_is_no_answer(self, cluster: Topic) -> None:
        await cluster.go_away()
        for asked in (cluster.log.verify(), cluster.log.offsets(), cluster.log.with_records({0: 0})):
            with pytest.raises(broker_errors.BrokerUnavailable):
                await asked


class ReplacedContract:
    """Inherit it and give a fixture `cluster`, a `Replaceable`."""

    async def test_another_topic_of_its_name_is_told_from_it(self, cluster: Replaceable) -> None:
        await cluster.replace()
        for asked in (cluster.log.verify(), cluster.log.offsets()):
            with pytest.raises(errors.TopicReplaced):
                await asked


class GroupsContract:
    """Inherit it and give a fixture `cluster`, a `Cluster`."""

    async def test_of_a_group_that_never_was_nothing_is_known(self, cluster: Cluster) -> None:
        assert await cluster.log.assignments(cluster.group("nobody")) == {}
        assert await cluster.log.committed(cluster.group("nobody")) == {}

    async def test_what_a_group_committed_is_known_when_its_members_are_gone(self, cluster: Cluster) -> None:
        member = await join(cluster)
        await member.commit(1, 7)
        await member.consumer.stop()
        assert await cluster.log.committed(cluster.group(GROUP)) == {1: 7}
        assert await cluster.log.assignments(cluster.group(GROUP)) == {}

    async def test_each_member_has_the_partitions_that_it_was_given(self, cluster: Cluster) -> None:
        one = await join(cluster)
        assert await cluster.log.assignments(cluster.group(GROUP)) == {one.id: {0, 1}}
        two = await join(cluster)
        await eventually.until(lambda: len(one.partitions) == 1)
        assert await cluster.log.assignments(cluster.group(GROUP)) == {each.id: each.partitions for each in (one, two)}

    async def test_in_a_rebalance_nobody_knows(self, cluster: Cluster) -> None:
        """It lasts as long as a silent member may be silent."""
        one = await join(cluster)
        one.fall_silent()
        two = await self._while_joining(cluster)
        assert await cluster.log.assignments(cluster.group(GROUP)) == {two.id: {0, 1}}

    async def test_without_a_broker_nothing_is_known_of_groups(self, cluster: Cluster) -> None:
        await cluster.go_away()
        for asked in (cluster.log.committed(GROUP), cluster.log.assignments(GROUP)):
            with pytest.raises(broker_errors.BrokerUnavailable):
                await asked

    async def _while_joining(self, cluster: Cluster) -> consumers.Member:
        async with asyncio.TaskGroup() as tasks:
            joining = tasks.create_task(join(cluster))
            async with asyncio.timeout(eventually.SECONDS):
                while await cluster.log.assignments(cluster.group(GROUP)) is not None:
                    assert not joining.done(), "the rebalance was over before it was seen"
        return joining.result()
