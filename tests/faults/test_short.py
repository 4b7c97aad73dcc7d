"""Every scenario in its short form; `make test-faults` plays them whole.

FAULTS_SEED=7 plays the plans of a run that printed that seed.
"""

import pytest

from tests.faults import conftest, report, scenarios
from tests.faults.stage import Stage
from tests.support import services


@pytest.mark.parametrize("scenario", scenarios.ALL)
def test_nothing_is_lost_and_nothing_doubled(scenario: str, stage: Stage, outcomes: list[report.Outcome]) -> None:
    outcome = scenarios.ALL[scenario](stage, "short", conftest.SEED)
    outcomes.append(outcome)
    if outcome.skipped:
        services.missing(outcome.skipped)
    assert not outcome.failures, f"FAULTS_SEED={conftest.SEED}, logs in {stage.folder}"
    assert (outcome.lost, outcome.doubled) == (0, 0)
    assert outcome.acknowledged > 0
