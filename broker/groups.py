"""Who is in a consumer group, and what they have, as the group's coordinator knows it."""

import time
from typing import Final

from confluent_kafka import ConsumerGroupState, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConsumerGroupDescription  # type: ignore[attr-defined]

from broker import connections

_TIMEOUT_S: Final = 5.0
_PAUSE_S: Final = 0.05
_CHANGING: Final = (ConsumerGroupState.PREPARING_REBALANCING, ConsumerGroupState.COMPLETING_REBALANCING)
_UNKNOWN: Final = frozenset({KafkaError.GROUP_ID_NOT_FOUND, KafkaError.INVALID_GROUP_ID})
# The first question about groups that a cluster ever gets makes the topic that they are kept in.
_COORDINATOR_AWAY: Final = frozenset(
    {
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    }
)


def members(admin: AdminClient, group: str, timeout_s: float = _TIMEOUT_S) -> list[str]:
    """The hosts of the group's members; empty for a group that nobody is in, or that there never was.

    A member that was killed is one until its session times out. Blocks for a few times `timeout_s` at most. Raises
    `broker.errors.BrokerUnavailable`.
    """
    found = _described(admin, group, timeout_s)
    return [member.host for member in found.members] if found else []


def assignments(
    admin: AdminClient, group: str, topic: str, timeout_s: float = _TIMEOUT_S
) -> dict[str, set[int]] | None:
    """`{member id: its partitions of topic}`, of `members`; None while a rebalance is under way."""
    found = _described(admin, group, timeout_s)
    if found is None:
        return {}
    if found.state in _CHANGING:
        return None
    return {
        member.member_id: {each.partition for each in member.assignment.topic_partitions if each.topic == topic}
        for member in found.members
    }


def _described(admin: AdminClient, group: str, timeout_s: float) -> ConsumerGroupDescription | None:
    """None: there is no such group."""
    deadline = time.monotonic() + timeout_s
    while True:
        future = admin.describe_consumer_groups([group], request_timeout=timeout_s)[group]
        try:
            found: ConsumerGroupDescription = future.result(timeout_s + 5)
        except KafkaException as error:
            code = error.args[0].code()
            if code in _UNKNOWN:
                return None
            if code not in _COORDINATOR_AWAY or time.monotonic() > deadline:
                raise connections.translated(error) from error
        else:
            return found
        time.sleep(_PAUSE_S)
