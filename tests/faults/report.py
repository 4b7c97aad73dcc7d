"""What became of each scenario: what a person reads, and JSON."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tests.faults.actions import Action
from tests.faults.checker import Verdict


class Outcome(msgspec.Struct, frozen=True):
    """One scenario. `recovery_s` has the seconds of each recovery, by what recovered from what.

    `sent` and what follows are numbers of events; `seconds` is what all of it took. It is good where `failures`,
    sentences, is empty. `skipped` says what this machine lacks for it, if anything.
    """

    scenario: str
    seed: int
    plan: list[Action] = []
    sent: int = 0
    acknowledged: int = 0
    unknown: int = 0
    refused: int = 0
    counted: int = 0
    lost: int = 0
    doubled: int = 0
    recovery_s: dict[str, list[float]] = {}
    seconds: float = 0.0
    notes: list[str] = []
    failures: list[str] = []
    skipped: str = ""

    def __str__(self) -> str:
        """A few lines."""
        if self.skipped:
            return "\n".join([f"{self.scenario}: skipped: {self.skipped}", *self._failed()])
        return "\n".join(
            [
                f"{self.scenario}: {'FAILED' if self.failures else 'passed'} in {self.seconds:.0f} s, seed {self.seed}",
                f"  sent {self.sent:,}: acknowledged {self.acknowledged:,}, unknown {self.unknown:,}, "
                f"refused {self.refused:,}; counted {self.counted:,}, lost {self.lost}, doubled {self.doubled}",
                *(f"  {what}: {_spread(seconds)}" for what, seconds in self.recovery_s.items()),
                *(f"  {note}" for note in self.notes),
                *self._failed(),
            ]
        )

    def _failed(self) -> list[str]:
        return [f"  FAILED: {failure}" for failure in self.failures]


class Report(msgspec.Struct, frozen=True):
    """One run. `plant` is the defect that its processes were started with, if any."""

    seed: int
    size: str
    seconds: float
    outcomes: list[Outcome]
    plant: str | None = None

    @property
    def good(self) -> bool:
        return not any(outcome.failures for outcome in self.outcomes)

    def __str__(self) -> str:
        """A line: what a person reads last. What was skipped is named, for nothing was shown of it."""
        skipped = [outcome.scenario for outcome in self.outcomes if outcome.skipped]
        return (
            f"{'passed' if self.good else 'FAILED'} in {self.seconds:.0f} s, seed {self.seed}: "
            f"lost {sum(each.lost for each in self.outcomes)}, doubled {sum(each.doubled for each in self.outcomes)}"
            + (f", {len(skipped)} skipped: {', '.join(skipped)}" if skipped else "")
        )

    def times(self) -> str:
        """A line a scenario, and the total, which has the start and the end of shared servers in it."""
        took = [*((each.scenario, each.seconds) for each in self.outcomes), ("total", self.seconds)]
        return "\n".join(f"{name:>16} {seconds:6.1f} s" for name, seconds in took)

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")


def outcome(
    scenario: str,
    seed: int,
    verdict: Verdict,
    *,
    plan: Sequence[Action] = (),
    recovery_s: Mapping[str, Sequence[float]] | None = None,
    notes: Sequence[str] = (),
    failures: Sequence[str] = (),
) -> Outcome:
    """`verdict`, and what else there is to say of the scenario. `failures` come on top of those of the verdict.

    `seconds` is for `scenarios.Scenario.play` to say.
    """
    return Outcome(
        scenario,
        seed,
        list(plan),
        verdict.sent,
        verdict.acknowledged,
        verdict.unknown,
        verdict.refused,
        verdict.counted,
        len(verdict.lost),
        len(verdict.doubled),
        {kind: [round(each, 2) for each in figures] for kind, figures in (recovery_s or {}).items() if figures},
        0.0,
        list(notes),
        [*verdict.failures, *failures],
    )


def _spread(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    if len(ordered) == 1:
        return f"{ordered[0]:.1f} s"
    middle = ordered[len(ordered) // 2]
    return f"{ordered[0]:.1f} to {ordered[-1]:.1f} s, half of {len(ordered)} within {middle:.1f} s"
