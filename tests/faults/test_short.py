"""The scenarios in their short form, always with the same plans; `make test-faults` plays them whole, with any seed.

FAULTS_SEED=7 plays the plans of that seed here.
"""

import pytest

from tests.faults import conftest, scenarios
from tests.faults.stage import Stage
from tests.support import closing as closing_lines


@pytest.mark.parametrize("scenario", scenarios.ALL)
def test_nothing_is_lost_and_nothing_doubled(scenario: str, stage: Stage, closing: closing_lines.Say) -> None:
    outcome = scenarios.ALL[scenario].play(stage, "short", conftest.SEED)
    closing(f"faults, FAULTS_SEED={conftest.SEED}", str(outcome))
    if outcome.skipped:
        pytest.skip(f"{scenario}: {outcome.skipped}")
    assert not outcome.failures, f"FAULTS_SEED={conftest.SEED}, logs in {stage.folder}"
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert outcome.acknowledged > 0
    assert set(outcome.recovery_s) <= set(scenarios.ALL[scenario].recoveries)
