"""A thousand seeds, each another order of events, faults and callbacks: every record is counted exactly once."""

import pytest

from tests.simulation.command import simulate

_SEEDS = 1_000


@pytest.mark.timeout(900)
def test_every_record_of_a_thousand_seeds_is_counted_exactly_once() -> None:
    """`python -m tests.simulation --seeds 100000 --first 1000` for more."""
    ended = simulate("--seeds", _SEEDS, timeout_s=870)
    print(ended.stdout)  # noqa: T201 - how many seeds, in what time; a failure's numbers
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("seed", [7, 44, 51])
def test_a_seed_goes_the_same_way_every_time(seed: int) -> None:
    """Alone, and behind another one in the same process."""
    alone = simulate(seed, timeout_s=120)
    second = simulate(3, seed, timeout_s=120)
    assert alone.stdout, alone.stderr
    assert second.stdout.endswith(alone.stdout)
