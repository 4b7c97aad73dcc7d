"""A seed that failed can be looked at: it goes the same way again."""

import pytest

from tests.simulation.command import simulate


@pytest.mark.parametrize("seed", [7, 44, 51])
def test_a_seed_goes_the_same_way_every_time(seed: int) -> None:
    """Alone, and behind another one in the same process."""
    alone = simulate(seed, timeout_s=120)
    second = simulate(3, seed, timeout_s=120)
    assert alone.stdout, alone.stderr
    assert second.stdout.endswith(alone.stdout)
