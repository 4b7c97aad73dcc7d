"""Workers of both kinds under traffic while one thing after another happens to what they write to."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final, Protocol

from devstack import waiting
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.faults import crew, history, progress, report, sending, stage, stored
from tests.faults.actions import Action, Fault

_RATE: Final = 150.0
_RECOVERY_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.1
_SELDOM_SECONDS: Final = 0.25  # each look costs a consumer, and the workers tell Kafka once a second

Do = Callable[[Action], float]
"""Does an action; returns the moment (monotonic) at which the fault was over."""


class Sends(Protocol):
    """Whoever sends events."""

    def finish(self) -> None:
        """Send no more; back when all that was sent has ended."""


def recoveries(subject: str, faults: Iterable[Fault]) -> list[str]:
    """The recoveries that are reported of `faults`: of those that one kind of worker is the target of, only its."""
    return list(dict.fromkeys(_recovery(subject, each.kind, what) for each in faults for what in _hit(each.target)))


class Trial:
    """`crews` by kind. `failures` and `notes` are for the scenario to add to."""

    def __init__(
        self, on: stage.Stage, name: str, subject: str, topic: KafkaSettings, database: DatabaseSettings
    ) -> None:
        """`subject` is what the faults happen to."""
        self.on, self.name, self.topic, self.database = on, name, topic, database
        self._subject = subject
        self.crews: dict[stage.Kind, crew.Crew] = {}
        self.notes: list[str] = []
        self.failures: list[str] = []
        self._looks = {
            "sums": progress.Progress(progress.Counted(database)),
            "profiles": progress.Progress(progress.Committed(topic, stage.group("profiles", topic)), _SELDOM_SECONDS),
        }
        self._recovery_s: dict[str, list[float]] = {}

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
                told.append(f"{what} again after {seconds:.1f} s")
                if what in _hit(action.target):
                    self._recovery_s.setdefault(_recovery(self._subject, action.kind, what), []).append(seconds)
        return ", ".join(told)


def _hit(target: str) -> list[str]:
    return [stage.STORES[target]] if target in stage.STORES else list(stage.STORES.values())


def _recovery(subject: str, fault: str, what: str) -> str:
    return f"{subject}: {fault}, {what}"


@contextmanager
def running(
    trial: Trial,
    log: history.History,
    workers: int,
    settings: Mapping[str, object],
    through: Mapping[stage.Kind, DatabaseSettings] | None = None,
) -> Iterator[sending.Sender]:
    """So many workers of each kind, and a sender at a steady rate. `through` is how they reach the database."""
    counts = dict.fromkeys(stage.ONE_OF_EACH, workers)
    with (
        trial.on.workers(trial.topic, trial.database, counts, through, **settings) as trial.crews,
        sending.Sender(trial.topic, log, trial.name, 0, _RATE) as sender,
    ):
        yield sender
