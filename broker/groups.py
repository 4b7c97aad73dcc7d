"""Who is in a consumer group, and what they have, as the group's coordinator knows it."""

import asyncio
import time
from typing import Final, NamedTuple

import aiokafka.errors
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment

from broker import connections, errors

_TIMEOUT_S: Final = 5.0
_PAUSE_S: Final = 0.05
_CHANGING: Final = ("PreparingRebalance", "CompletingRebalance")
# The first question about groups that a cluster ever gets makes the topic that they are kept in.
_COORDINATOR_AWAY: Final = (
    aiokafka.errors.GroupCoordinatorNotAvailableError,
    aiokafka.errors.NotCoordinatorForGroupError,
    aiokafka.errors.GroupLoadInProgressError,
)


class _Member(NamedTuple):
    """`partitions` are `(topic, partition)`."""

    id: str
    host: str
    partitions: list[tuple[str, int]]


class _Group(NamedTuple):
    """A group that nobody is in, or that there never was, has no members."""

    state: str
    members: list[_Member]


def members(admin: connections.Admin, group: str, timeout_s: float = _TIMEOUT_S) -> list[str]:
    """The hosts of the group's members; empty for a group that nobody is in, or that there never was.

    A member that was killed is one until its session times out. Blocks for a few times `timeout_s` at most. Raises
    `broker.errors.GroupUnavailable`.
    """
    return [member.host for member in _described(admin, group, timeout_s).members]


def assignments(
    admin: connections.Admin, group: str, topic: str, timeout_s: float = _TIMEOUT_S
) -> dict[str, set[int]] | None:
    """`{member id: its partitions of topic}`, of `members`; None while a rebalance is under way."""
    found = _described(admin, group, timeout_s)
    if found.state in _CHANGING:
        return None
    return {
        member.id: {partition for name, partition in member.partitions if name == topic} for member in found.members
    }


def _described(admin: connections.Admin, group: str, timeout_s: float) -> _Group:
    deadline = time.monotonic() + timeout_s
    while True:
        left = max(_PAUSE_S, deadline - time.monotonic())
        try:
            return asyncio.run(_ask(admin.bootstrap, group, left))
        except _COORDINATOR_AWAY as error:
            if time.monotonic() > deadline:
                raise _unavailable(error) from error
        except (aiokafka.errors.KafkaError, TimeoutError, OSError) as error:
            raise _unavailable(error) from error
        time.sleep(_PAUSE_S)


async def _ask(bootstrap: str, group: str, timeout_s: float) -> _Group:
    """By aiokafka: see `connections.Admin`. In an event loop of its own, as callers are in threads or have none."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap.split(","), request_timeout_ms=int(timeout_s * 1000))
    try:
        async with asyncio.timeout(timeout_s):
            await client.start()
            [answer] = await client.describe_consumer_groups([group])
    finally:
        await client.close()
    [(code, _name, state, _type, _protocol, members, *_more)] = answer.groups
    if code:
        raise aiokafka.errors.for_code(code)(group)
    return _Group(state, [_Member(each[0], each[2], _partitions(each[4])) for each in members])


def _partitions(assignment: bytes) -> list[tuple[str, int]]:
    """Empty for a member that was not handed anything yet."""
    if not assignment:
        return []
    decoded = ConsumerProtocolMemberAssignment.decode(assignment)
    return [(topic, partition) for topic, partitions in decoded.assignment for partition in partitions]


def _unavailable(error: Exception) -> errors.GroupUnavailable:
    return errors.GroupUnavailable(f"Kafka did not answer: {error!r}")
