"""What each consumer group has not processed yet, per partition: the end offset minus the committed one."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from broker import connections, errors, topics

_TIMEOUT_S: Final = 5.0
_GROUPS_AT_ONCE: Final = 8
_PAUSE_S: Final = 0.1
# Said at once by a coordinator that is just made, as on a new cluster, or moved: a moment later it answers.
_COORDINATOR_AWAY: Final = frozenset(
    {KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.NOT_COORDINATOR}
)

_Answer = TypeVar("_Answer")


class Backlog(msgspec.Struct, frozen=True):
    """`count` records of `partition` are not yet processed by the consumer group `subscription`."""

    partition: int
    subscription: str
    count: int


def read(
    admin: connections.Admin, topic: str, groups: Collection[str] = (), timeout_s: float = _TIMEOUT_S
) -> list[Backlog]:
    """One entry per group and partition, ordered by both.

    The groups are those that ever committed an offset of `topic`, and `groups` whether they did or not. A partition
    that a group never committed counts from the earliest record kept; so does a commit that retention has overtaken.
    Blocks for a few times `timeout_s` at most. Raises `broker.errors.TopicMissing` and `.BrokerUnavailable`.
    """
    found = topics.describe(admin, topic, timeout_s)
    ends = topics.read_offsets(admin, found, timeout_s)
    progress = _progress(admin, _known(admin, timeout_s) | set(groups), found, timeout_s)
    return [
        Backlog(partition, group, _behind(offsets.get(partition), *ends[partition]))
        for group, offsets in sorted(progress.items())
        if offsets or group in groups
        for partition in sorted(ends)
    ]


def _behind(committed: int | None, earliest: int, end: int) -> int:
    return end - min(end, max(earliest, committed if committed is not None else earliest))


def _known(admin: connections.Admin, timeout_s: float) -> set[str]:
    return _settled(lambda left_s: _list(admin, left_s), timeout_s, errors.BrokerUnavailable)


def _list(admin: connections.Admin, timeout_s: float) -> set[str]:
    answer = admin.list_consumer_groups(request_timeout=timeout_s).result(timeout_s + 5)
    _raise_first(answer.errors)
    return {group.group_id for group in answer.valid}


def committed(admin: connections.Admin, group: str, topic: str, timeout_s: float) -> dict[int, int]:
    """`{partition: offset}` of what `group` committed of `topic`; empty for a group that does not exist.

    Blocks for a few times `timeout_s` at most. Raises `broker.errors.TopicMissing` and `.BrokerUnavailable`.
    """
    return _committed(admin, group, topics.describe(admin, topic, timeout_s), timeout_s)


def _progress(
    admin: connections.Admin, groups: Collection[str], topic: topics.Topic, timeout_s: float
) -> Mapping[str, Mapping[int, int]]:
    """What each group committed. Some are asked at once: 100 one after the other took 5.1 s, 8 at a time 0.5 s."""
    pool = ThreadPoolExecutor(_GROUPS_AT_ONCE, "committed")
    try:
        return dict(
            zip(groups, pool.map(lambda group: _committed(admin, group, topic, timeout_s), groups), strict=True)
        )
    finally:
        pool.shutdown(cancel_futures=True)


def _committed(admin: connections.Admin, group: str, topic: topics.Topic, timeout_s: float) -> dict[int, int]:
    """By a consumer of the group that never joins it: see `connections.Admin`."""
    config = {**connections.config(admin.bootstrap), "group.id": group, "enable.auto.commit": False, "log_level": 0}
    consumer = Consumer(config)
    try:
        return _settled(lambda left_s: _ask(consumer, topic, left_s), timeout_s, errors.GroupUnavailable)
    finally:
        consumer.close()


def _ask(consumer: Consumer, topic: topics.Topic, timeout_s: float) -> dict[int, int]:
    asked = [TopicPartition(topic.name, partition) for partition in range(topic.partitions)]
    answer = consumer.committed(asked, timeout=timeout_s)
    _raise_first(each.error for each in answer if each.error is not None)
    return {each.partition: each.offset for each in answer if each.offset >= 0}


def _settled(question: Callable[[float], _Answer], timeout_s: float, kind: type[errors.BrokerUnavailable]) -> _Answer:
    """The answer to `question`, which is given what time is left and asked again while there is no coordinator yet."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return question(max(_PAUSE_S, deadline - time.monotonic()))
        except KafkaException as error:
            if error.args[0].code() not in _COORDINATOR_AWAY or time.monotonic() > deadline:
                raise connections.translated(error, kind) from error
        time.sleep(_PAUSE_S)


def _raise_first(failures: Iterable[KafkaError]) -> None:
    """Half an answer would look like a small backlog."""
    for failure in failures:
        raise KafkaException(failure)
