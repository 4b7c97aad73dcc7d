"""The topic: made idempotently, checked where it exists, asked for its id and offsets.

Everything here blocks for at most `timeout_s` seconds and raises `errors.BrokerUnavailable` when it passes: call it
through `asyncio.to_thread` from an event loop.
"""

import base64
import concurrent.futures
import time
import uuid
from collections.abc import Iterable
from typing import Final, TypeVar

import msgspec
from confluent_kafka import KafkaError, KafkaException, TopicCollection, TopicPartition, Uuid
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its __init__ has no __all__
    AdminClient,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from broker import connections, errors
from runtime import logging
from runtime.settings import KafkaSettings

_log = logging.get_logger(__name__)
_TIMEOUT_S: Final = 30.0
_PAUSE_S: Final = 0.05
_MILLIS_PER_HOUR: Final = 3_600_000
_LEADERLESS: Final = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.OFFSET_NOT_AVAILABLE,
        # A topic just made: the client has heard of its leader from the controller, the broker itself has not yet.
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)
_Result = TypeVar("_Result")


class Topic(msgspec.Struct, frozen=True):
    """A topic as the cluster describes it; `id` changes when a topic is deleted and made anew under its old name."""

    name: str
    id: uuid.UUID
    partitions: int
    replication: int


def ensure(settings: KafkaSettings, timeout_s: float = _TIMEOUT_S) -> Topic:
    """Make the topic, or check the one that is there.

    Raises `errors.TopicMisconfigured` where its settings would lose events. Fewer partitions, replicas or hours than
    the settings ask for are logged as warnings: events are safe, and changing them is the operator's decision.
    """
    _refuse_unwritable(settings)
    admin = connections.Admin(settings.kafka_hosts)
    made = _create(admin, settings, timeout_s)
    topic = _wait_until_described(admin, settings.kafka_topic, timeout_s)
    read_offsets(admin, topic, timeout_s)  # answered by leaders: from here on the topic takes events
    if made:
        _log.info("topic made", topic=topic.name, id=str(topic.id), partitions=topic.partitions)
    else:
        _check(topic, configs(admin, topic.name, timeout_s), settings)
    return topic


def topic_id(bootstrap: str, name: str, timeout_s: float = _TIMEOUT_S) -> uuid.UUID:
    """Kafka's id of the topic. Raises `errors.TopicMissing`."""
    return describe(connections.Admin(bootstrap), name, timeout_s).id


def offsets(bootstrap: str, name: str, timeout_s: float = _TIMEOUT_S) -> dict[int, tuple[int, int]]:
    """`{partition: (earliest, end)}`: the first offset still kept, and the one that the next record gets.

    Raises `errors.TopicMissing`.
    """
    admin = connections.Admin(bootstrap)
    return read_offsets(admin, describe(admin, name, timeout_s), timeout_s)


def describe(admin: AdminClient, name: str, timeout_s: float = _TIMEOUT_S) -> Topic:
    """The topic. Raises `errors.TopicMissing`."""
    future = admin.describe_topics(TopicCollection([name]), request_timeout=timeout_s)[name]
    try:
        found = _result(future, timeout_s)
    except KafkaException as error:
        if error.args[0].code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC):  # noqa: SLF001 - the public name of a local error
            raise errors.TopicMissing(name) from error
        raise connections.translated(error) from error
    replication = min(len(partition.replicas) for partition in found.partitions)
    return Topic(name, _uuid(found.topic_id), len(found.partitions), replication)


def read_offsets(admin: AdminClient, topic: Topic, timeout_s: float = _TIMEOUT_S) -> dict[int, tuple[int, int]]:
    """`offsets`, for a caller that keeps its own client."""
    earliest = _list_offsets(admin, topic, OffsetSpec.earliest(), timeout_s)  # type: ignore[no-untyped-call]
    latest = _list_offsets(admin, topic, OffsetSpec.latest(), timeout_s)  # type: ignore[no-untyped-call]
    return {partition: (earliest[partition], latest[partition]) for partition in range(topic.partitions)}


def configs(admin: AdminClient, name: str, timeout_s: float = _TIMEOUT_S) -> dict[str, str]:
    """The topic's settings as the brokers have them, by Kafka's names."""
    resource = ConfigResource(ResourceType.TOPIC, name)
    try:
        entries = _result(admin.describe_configs([resource], request_timeout=timeout_s)[resource], timeout_s)
    except KafkaException as error:
        raise connections.translated(error) from error
    return {entry.name: entry.value for entry in entries.values()}


def _list_offsets(admin: AdminClient, topic: Topic, spec: OffsetSpec, timeout_s: float) -> dict[int, int]:
    """`{partition: offset}`, waiting out an election.

    A broker that is coming back was seen to make the library answer OFFSET_INVALID (-1001), without an error: taken for
    the end of the log, it would say that all of it is gone.
    """
    wanted = {TopicPartition(topic.name, partition): spec for partition in range(topic.partitions)}
    deadline = time.monotonic() + timeout_s
    while True:
        answers = admin.list_offsets(wanted, request_timeout=timeout_s)
        try:
            found = {partition.partition: _result(future, timeout_s).offset for partition, future in answers.items()}
        except KafkaException as error:
            if error.args[0].code() not in _LEADERLESS or time.monotonic() > deadline:
                raise connections.translated(error) from error
        else:
            if min(found.values()) >= 0:
                return found
            if time.monotonic() > deadline:
                message = f"no broker knows where the partitions of {topic.name} begin and end: {found}"
                raise errors.BrokerUnavailable(message)
        time.sleep(_PAUSE_S)


def _refuse_unwritable(settings: KafkaSettings) -> None:
    if settings.kafka_min_insync > settings.kafka_replication:
        message = (
            f"KAFKA_MIN_INSYNC={settings.kafka_min_insync} is more than KAFKA_REPLICATION="
            f"{settings.kafka_replication}: such a topic takes no event at all"
        )
        raise errors.TopicMisconfigured(message)


def _create(admin: AdminClient, settings: KafkaSettings, timeout_s: float) -> bool:
    """Whether this call made the topic; of several at once exactly one does."""
    wanted = NewTopic(
        settings.kafka_topic,
        num_partitions=settings.kafka_partitions,
        replication_factor=settings.kafka_replication,
        config=_wanted_configs(settings),
    )
    future = admin.create_topics([wanted], request_timeout=timeout_s, operation_timeout=timeout_s)[settings.kafka_topic]
    try:
        _result(future, timeout_s)
    except KafkaException as error:
        return _not_made(error, settings)
    return True


def _not_made(error: KafkaException, settings: KafkaSettings) -> bool:
    code = error.args[0].code()
    if code == KafkaError.TOPIC_ALREADY_EXISTS:
        return False
    if code == KafkaError.INVALID_REPLICATION_FACTOR:
        message = (
            f"KAFKA_REPLICATION={settings.kafka_replication} is more than the cluster has brokers: "
            f"start them, or set KAFKA_REPLICATION ({error.args[0].str()})"
        )
        raise errors.TopicMisconfigured(message) from error
    raise connections.translated(error) from error


def _wanted_configs(settings: KafkaSettings) -> dict[str, str]:
    return {
        # Event time may lie years back. A broker that took it for the record's time would delete the record at once.
        "message.timestamp.type": "LogAppendTime",
        "cleanup.policy": "delete",
        "min.insync.replicas": str(settings.kafka_min_insync),
        "retention.ms": str(settings.kafka_retention_hours * _MILLIS_PER_HOUR),
        # An out-of-sync replica as leader would take acknowledged events with it.
        "unclean.leader.election.enable": "false",
    }


def _wait_until_described(admin: AdminClient, name: str, timeout_s: float) -> Topic:
    """A topic made on one broker is known to the others, and has its leaders, a moment later."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return describe(admin, name, max(1.0, deadline - time.monotonic()))
        except errors.TopicMissing:
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE_S)


def _check(topic: Topic, found: dict[str, str], settings: KafkaSettings) -> None:
    wanted = _wanted_configs(settings)
    for name in ("message.timestamp.type", "cleanup.policy"):
        if found[name] != wanted[name]:
            message = (
                f"topic {topic.name!r} has {name}={found[name]}, which loses events; it must be {wanted[name]}: "
                f"kafka-configs --alter --entity-type topics --entity-name {topic.name} "
                f"--add-config {name}={wanted[name]}"
            )
            raise errors.TopicMisconfigured(message)
    for name, has, asked in _weaknesses(topic, found, settings):
        _log.warning("topic has less than the settings ask for", topic=topic.name, what=name, has=has, asked=asked)


def _weaknesses(topic: Topic, found: dict[str, str], settings: KafkaSettings) -> Iterable[tuple[str, int, int]]:
    retention = int(found["retention.ms"])
    compared: list[tuple[str, int, int]] = [
        ("partitions", topic.partitions, settings.kafka_partitions),
        ("replicas", topic.replication, settings.kafka_replication),
        ("min.insync.replicas", int(found["min.insync.replicas"]), settings.kafka_min_insync),
    ]
    if retention != -1:  # kept for ever
        compared.append(("retention hours", retention // _MILLIS_PER_HOUR, settings.kafka_retention_hours))
    return [(name, has, asked) for name, has, asked in compared if has < asked]


def _result(future: "concurrent.futures.Future[_Result]", timeout_s: float) -> _Result:
    """The answer; a little later than `timeout_s`, so that the library's own, better reason comes first."""
    try:
        return future.result(timeout_s + 5)
    except concurrent.futures.TimeoutError as error:
        message = f"no answer within {timeout_s} s"
        raise errors.BrokerUnavailable(message) from error


def _uuid(found: Uuid) -> uuid.UUID:
    return uuid.UUID(bytes=base64.urlsafe_b64decode(f"{found}=="))
