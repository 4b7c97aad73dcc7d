"""Who is in a consumer group."""

import time
from typing import Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from broker import connections

_TIMEOUT_S: Final = 5.0
_PAUSE_S: Final = 0.05
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
    deadline = time.monotonic() + timeout_s
    while True:
        future = admin.describe_consumer_groups([group], request_timeout=timeout_s)[group]
        try:
            return [member.host for member in future.result(timeout_s + 5).members]
        except KafkaException as error:
            code = error.args[0].code()
            if code in _UNKNOWN:
                return []
            if code not in _COORDINATOR_AWAY or time.monotonic() > deadline:
                raise connections.translated(error) from error
        time.sleep(_PAUSE_S)
