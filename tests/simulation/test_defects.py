"""The simulation notices what it is there for: each defect of the workers, planted, is found within a few seeds."""

import re

import pytest

from tests.simulation.command import simulate
from tests.support import defects

_SEEDS = 400
_WORKERS = sorted(set(defects.DEFECTS) - {"acknowledge-before-report"})


@pytest.mark.timeout(600)
@pytest.mark.parametrize("defect", _WORKERS)
def test_a_planted_defect_is_caught(defect: str) -> None:
    ended = simulate("--plant", defect, "--until-failure", "--seeds", _SEEDS, timeout_s=570)
    caught = re.search(r"seed (\d+) failed", ended.stdout)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert caught is not None
    print(f"{defect} was caught after {int(caught[1]) + 1} seeds")  # noqa: T201 - the figure is of interest
    assert_replayed(defect, caught[1])


def assert_replayed(defect: str, seed: str) -> None:
    """A failing seed goes the same way every time: its trace and its complaints."""
    alone = simulate("--plant", defect, seed, timeout_s=120)
    twice = simulate("--plant", defect, seed, seed, timeout_s=120)
    assert f"seed {seed} failed" in alone.stdout, alone.stderr
    assert twice.stdout == 2 * alone.stdout


def test_a_defect_whose_text_is_gone_is_an_error() -> None:
    edit = defects.Edit("pipeline.positions", "Positions.judge", (("there is no such line\n", ""),))
    with pytest.raises(LookupError, match="does not hold this text once"):
        defects.edited(edit)
