"""A test that cannot fail proves nothing: each policy finds what is planted for it, in the real files."""

import pytest

from tests.stacks import planted, policies, rendering
from tests.stacks.planted.planting import CLUSTER, STATEFUL, WITH_BACKUPS, Plant
from tests.stacks.rendering import Stack


@pytest.mark.parametrize(
    ("policy", "name", "plant", "said"),
    planted.ALL,
    ids=lambda part: part.__name__ if callable(part) and part.__name__ != "<lambda>" else None,
)
def test_what_is_planted_is_found(policy: policies.Policy, name: str, plant: Plant, said: str) -> None:
    stack = _stack(name)
    assert not any(said in sentence for sentence in policy(stack))
    plant(stack)
    assert any(said in sentence for sentence in policy(stack)), list(policy(stack))


def test_every_policy_has_a_violation_planted_for_it() -> None:
    names = {policy.__name__ for policy, *_ in planted.ALL}
    every = policies.EVERYWHERE + policies.IN_A_CLUSTER + policies.OF_THE_WHOLE
    assert {policy.__name__ for policy in every} == names


def _stack(name: str) -> Stack:
    if name == WITH_BACKUPS:
        return rendering.render(STATEFUL, overrides=["backup"])
    return rendering.render_cluster() if name == CLUSTER else rendering.render(name)
