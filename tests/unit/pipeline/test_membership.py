"""Whose partitions a worker must see to: those that no other member of the group has."""

import pytest

from pipeline.membership import Membership


class Groups:
    """`membership.Groups`."""

    def __init__(self, assignments: dict[str, set[int]] | None) -> None:
        self._assignments = assignments

    async def assignments(self, group: str) -> dict[str, set[int]] | None:
        assert group == "aggregates"
        return self._assignments

    async def committed(self, group: str) -> dict[int, int]:
        assert group == "aggregates"
        return {0: 10, 1: 11, 2: 12}


@pytest.mark.parametrize(
    ("assignments", "orphans"),
    [
        ({"me": set(), "other": {0, 1, 2, 3}}, {}),
        ({"me": {0}, "other": {1, 2, 3}}, {0: 10}),
        ({"me": set(), "other": {1, 2}, "third": {0}}, {3: 0}),
        ({"other": {0, 1}}, {2: 12, 3: 0}),
        ({}, {0: 10, 1: 11, 2: 12, 3: 0}),
        (None, {}),
    ],
    ids=["stands by", "has one", "one is nobody's", "is no member", "nobody is", "rebalance"],
)
async def test_partitions_of_nobody_else(assignments: dict[str, set[int]] | None, orphans: dict[int, int]) -> None:
    membership = Membership(Groups(assignments), "aggregates", lambda: "me", 4)
    assert await membership.orphans() == orphans
