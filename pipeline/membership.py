"""Which partitions nobody else in the group has: those that a worker itself must see to, whatever it believes to have.

A worker that stands by is not to blame for a group whose workers wait for PostgreSQL; one that lost its partitions in a
rebalance, or was never handed them, is.
"""

from collections.abc import Callable
from typing import Protocol


class Groups(Protocol):
    """What Kafka knows of consumer groups. Both methods raise `broker.errors.BrokerUnavailable`."""

    async def committed(self, group: str) -> dict[int, int]:
        """`{partition: offset}` that Kafka was told of a consumer group; empty for one that it never heard of."""

    async def assignments(self, group: str) -> dict[str, set[int]] | None:
        """`{member id: its partitions}`; None while a rebalance is under way."""


class Membership:
    """One worker's, in one group."""

    def __init__(self, groups: Groups, group: str, member_id: Callable[[], str], partitions: int) -> None:
        """`member_id` names this worker, as Kafka knows it now; `partitions` is how many the topic has."""
        self._groups, self._group, self._member_id, self._partitions = groups, group, member_id, partitions

    async def orphans(self) -> dict[int, int]:
        """`{partition: the group's offset}` of the partitions that no other member has."""
        assigned = await self._groups.assignments(self._group)
        if assigned is None:
            return {}
        mine = self._member_id()
        elsewhere = {partition for member, has in assigned.items() if member != mine for partition in has}
        left = set(range(self._partitions)) - elsewhere
        committed = await self._groups.committed(self._group) if left else {}
        return {partition: committed.get(partition, 0) for partition in left}
