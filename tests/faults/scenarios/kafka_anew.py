"""The topic deleted and made anew, while workers run and while they are stopped, and adopted by its command.

The worker that counts ends with a sentence and counts nothing of the new topic until an operator adopts it; then it
counts all of it once. The worker that takes profiles goes on by itself.
"""

import time
from pathlib import Path
from typing import Final

from devstack import waiting
from pipeline import ending
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.faults import actions, operating, report, sending, stage, stored
from tests.faults.actions import Action
from tests.faults.crew import Crew
from tests.faults.history import History
from tests.integration.operations.installation import Installation

NAME: Final = "kafka_anew"
_EVENTS: Final = 500
_RUNNING: Final = "while workers run"
_STOPPED: Final = "while workers are stopped"
_WHEN: Final[dict[stage.Size, tuple[str, ...]]] = {
    "full": (_RUNNING, _STOPPED),
    "short": (_RUNNING,),
}
_STEP_S: Final = 90.0
_WORKER: Final = "aggregates-1"
_REFUSAL: Final = "run `python -m pipeline adopt-topic`"
_ADOPTED: Final = "topic made anew: from `adopt-topic` until all is counted"
RECOVERIES: Final = [_ADOPTED]
_STATUS: Final = f"ended with status {ending.EXIT_STATUS} "


def run(on: stage.Stage, size: stage.Size, seed: int) -> report.Outcome:
    """As often as there are ways."""
    pick = actions.dice(seed, NAME)
    topic, database = on.topic(NAME), on.database(NAME)
    plan = [Action(0.0, "make anew", when) for when in pick.sample(_WHEN[size], len(_WHEN[size]))]
    on.say(actions.printed(plan))
    with (
        on.history(NAME) as log,
        on.workers(topic, database) as crews,
    ):
        topics = _Topics(on, topic, database, crews)
        topics.send_and_count(log, f"{NAME}-0")
        for number, action in enumerate(plan, 1):
            topics.replace(action, log, f"{NAME}-{number}")
            topics.adopt()
        verdict = on.verdict(log, database, profiles=True)
    return report.outcome(
        NAME,
        seed,
        verdict,
        plan=plan,
        recovery_s={_ADOPTED: topics.recovery_s},
        notes=[f"ended: {each}" for crew in crews.values() for each in crew.endings],
        failures=topics.failures + stored.disagreements(database),
    )


class _Topics:
    """One name, and one topic of it after the other."""

    def __init__(
        self, on: stage.Stage, topic: KafkaSettings, database: DatabaseSettings, crews: dict[stage.Kind, Crew]
    ) -> None:
        self.failures: list[str] = []
        self.recovery_s: list[float] = []
        self._on, self._topic, self._database = on, topic, database
        self._counting, self._profiles = crews["aggregates"], crews["profiles"]
        self._at: Installation = operating.installation(topic, database, on.folder / topic.kafka_topic)
        self._counted = 0

    def send_and_count(self, log: History, prefix: str) -> None:
        """Also into profiles."""
        self._send(log, prefix)
        self._settle()

    def replace(self, action: Action, log: History, prefix: str) -> None:
        """The topic by another one with events in it: the worker ends, and of these events it counts nothing."""
        crews = {_WORKER: self._counting, "profiles-1": self._profiles}
        if action.target == _STOPPED:
            for name, crew in crews.items():
                crew.remove(name)
        before, since = len(self._counting.endings), self._log.stat().st_size
        self._at.replace_topic()
        self._send(log, prefix)
        for name, crew in crews.items():
            crew.add(name)
        if not waiting.until(lambda: _REFUSAL in self._said(since), _STEP_S):
            self.failures.append(f"{action.target}: {_WORKER} does not say what to do about another topic")
        if not waiting.until(lambda: len(self._counting.endings) > before, _STEP_S):
            self.failures.append(f"{action.target}: {_WORKER} did not end")
        if unforeseen := [each for each in self._counting.endings if _STATUS not in each]:
            self.failures.append(f"{action.target}: ended in another way than with a sentence: {unforeseen}")
        if (found := sum(stored.counted(self._database).values())) != self._counted:
            self.failures.append(f"{action.target}: {found - self._counted} events counted before it was adopted")

    def adopt(self) -> None:
        """As docs/operations.md has it; then all of the new topic is counted."""
        self._counting.remove(_WORKER)
        operating.run(self._at, "adopt-topic", "--yes")
        adopted = time.monotonic()
        self._counting.add(_WORKER)
        self._settle()
        self.recovery_s.append(time.monotonic() - adopted)

    @property
    def _log(self) -> Path:
        return self._counting.application(_WORKER).log

    def _said(self, since: int) -> str:
        with self._log.open("rb") as log:
            log.seek(since)
            return log.read().decode()

    def _send(self, log: History, prefix: str) -> None:
        with sending.Sender(self._topic, log, prefix, _EVENTS) as sender:
            sender.join()

    def _settle(self) -> None:
        self.failures += self._on.settle(self._topic, self._database, profiles=True)
        self._counted = sum(stored.counted(self._database).values())
