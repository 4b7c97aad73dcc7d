"""The recovery times in docs/guarantees.md: a row for each that the scenarios measure, and figures that are theirs."""

import pytest

from devstack import paths
from tests.faults import recovery_table
from tests.faults.report import Outcome, Report

GUARANTEES = paths.PROJECT / "docs" / "guarantees.md"


def first_cells(text: str) -> list[str]:
    """Of all rows below the heads of the tables between the markers."""
    _, _, behind = text.partition(f"{recovery_table.BEGIN}\n")
    lines, found, _ = behind.partition(recovery_table.END)
    assert found
    cells = [line.split(" | ")[0].removeprefix("| ") for line in lines.splitlines() if line.startswith("| ")]
    return [cell for cell in cells if cell not in ("fault", "what, until when")]


def killed(seed: int, sums: list[float], profiles: list[float]) -> Report:
    recovery_s = {"worker killed, sums": sums, "worker killed, profiles": profiles}
    return Report(seed, "full", 1.0, [Outcome("workers", seed, recovery_s=recovery_s)])


def test_the_docs_have_a_row_for_each_recovery_that_scenarios_measure_and_none_besides() -> None:
    twice, once = recovery_table.rows()
    assert first_cells(GUARANTEES.read_text()) == [*twice, *once]
    assert first_cells(recovery_table.tables([killed(1, [], [])])) == [*twice, *once]


def test_a_row_has_the_median_the_worst_and_the_number_of_all_runs() -> None:
    lines = recovery_table.tables([killed(3, [1.0, 9.04], [2.0]), killed(5, [3.0], [])]).splitlines()
    assert "| worker killed | 3.0, 9.0 (3) | 2.0, 2.0 (1) |" in lines
    assert "Of `make test-faults` with the seeds 3 and 5." in lines


def test_what_was_not_measured_has_no_figures() -> None:
    assert "| worker killed | \u2013 | \u2013 |" in recovery_table.tables([killed(1, [], [])])


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (Report(7, "full", 1.0, [Outcome("workers", 7, recovery_s={"worker lost": [1.0]})]), "worker lost"),
        (Report(7, "full", 1.0, [], plant="gap-accepted"), "seed 7: gap-accepted was planted"),
    ],
)
def test_a_run_that_the_docs_do_not_speak_of_is_refused(report: Report, why: str) -> None:
    with pytest.raises(recovery_table.Unfit, match=why):
        recovery_table.tables([report])
