"""A thousand seeds, each another order of events, faults and callbacks: every record is counted exactly once.

The one test of its file: files with the fewest tests come last in a run, when others leave it the most of two cores.
"""

import re

import pytest

from tests.simulation.command import simulate
from tests.support import closing as closing_lines

_SEEDS = 1_000
_CPU_MS_EACH = 120  # a thousand within a minute on two cores, which this test may have to share with others


@pytest.mark.timeout(900)
def test_every_record_of_a_thousand_seeds_is_counted_exactly_once(closing: closing_lines.Say) -> None:
    """`python -m tests.simulation --seeds 100000 --first 1000` for more."""
    ended = simulate("--seeds", _SEEDS, timeout_s=870)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = ended.stdout.strip().splitlines()[-1]
    closing("simulation", told)
    spent = re.search(r"([\d.]+) ms of CPU each", told)
    assert spent is not None, told
    assert float(spent[1]) < _CPU_MS_EACH
