"""Workers of both kinds under traffic while one thing after another happens to what they write to."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final, Protocol

from devstack import waiting
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.faults import crew, history, progress, report, sending, stage, stored
from tests.faults.actions import Action

_RATE: Final = 150.0
_RECOVERY_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.1

Do = Callable[[Action], float]
"""Does an action; returns the moment (monotonic) at which the fault was over."""


class Sends(Protocol):
    """Whoever sends events."""

    def finish(self) -> None:
        """Send no more; back when all that was sent has ended."""


class Trial:
    """`crews` by kind. `failures` and `notes` are for the scenario to add to."""

    def __init__(self, on: stage.Stage, name: str, topic: KafkaSettings, database: DatabaseSettings) -> None:
        self.on, self.name, self.topic, self.database = on, name, topic, database
        self.crews: dict[stage.Kind, crew.Crew] = {}
        self.notes: list[str] = []
        self.failures: list[str] = []
        self._looks = {
            "sums": progress.Progress(progress.Counted(database)),
            "profiles": progress.Progress(progress.Committed(topic, stage.group("profiles", topic))),
        }
        self._recovery_s: dict[str, list[float]] = {}
        self._began = time.monotonic()

    def play(self, plan: Sequence[Action], do: Mapping[str, Do]) -> None:
        """One action after the other, each at its time or, if later, once the one before it is recovered from."""
        with ExitStack() as watching:
            for look in self._looks.values():
                watching.enter_context(look)
            self._await_traffic()
            began = time.monotonic()
            for action in plan:
                time.sleep(max(0.0, began + action.at_s - time.monotonic()))
                over = do[action.kind](action)
                self.on.say(f"  {action}: {self._recover(action, over)}")

    def outcome(self, seed: int, plan: Sequence[Action], sender: Sends, log: history.History) -> report.Outcome:
        """What came of it, once everything sent has arrived. A worker that ended unasked is a failure."""
        sender.finish()
        late = self.on.settle(self.topic, self.database, profiles=True)
        verdict = self.on.verdict(log, self.database, profiles=True)
        ended = [f"a worker had no reason to end: {each}" for crew in self.crews.values() for each in crew.endings]
        return report.outcome(
            self.name,
            seed,
            verdict,
            plan=plan,
            recovery_s=self._recovery_s,
            seconds=time.monotonic() - self._began,
            notes=self.notes,
            failures=[*late, *stored.disagreements(self.database), *ended, *self.failures],
        )

    def _await_traffic(self) -> None:
        """Events pass through everything before the first thing happens."""
        for what, look in self._looks.items():
            if not waiting.until(lambda: len(look.latest) == self.topic.kafka_partitions, _RECOVERY_SECONDS):  # noqa: B023
                message = f"no events arrive in the {what}"
                raise TimeoutError(message)

    def _recover(self, action: Action, over: float) -> str:
        """Wait until events are counted again, and in profiles, in every partition."""
        told = []
        for what, look in self._looks.items():
            waiting.until(lambda: look.recovery_s(over) is not None, _RECOVERY_SECONDS, interval=_LOOK_SECONDS)  # noqa: B023
            seconds = look.recovery_s(over)
            if seconds is None:
                self.failures.append(f"{action.kind}: no new {what} within {_RECOVERY_SECONDS:.0f} s of its end")
            else:
                self._recovery_s.setdefault(f"{action.kind}, {what}", []).append(seconds)
                told.append(f"{what} again after {seconds:.1f} s")
        return ", ".join(told)


@contextmanager
def running(
    trial: Trial,
    log: history.History,
    workers: int,
    settings: Mapping[str, object],
    through: Mapping[stage.Kind, DatabaseSettings] | None = None,
) -> Iterator[sending.Sender]:
    """So many workers of each kind, and a sender at a steady rate. `through` is how they reach the database."""
    with ExitStack() as until:
        for kind in _KINDS:
            database = (through or {}).get(kind, trial.database)
            crew = trial.on.workers(kind, workers, trial.topic, database, **settings)
            trial.crews[kind] = until.enter_context(crew)
        yield until.enter_context(sending.Sender(trial.topic, log, trial.name, 0, _RATE))


_KINDS: Final[tuple[stage.Kind, ...]] = ("aggregates", "profiles")
