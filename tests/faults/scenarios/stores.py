"""Stores wiped, lost and damaged under traffic, and made right again by the commands of docs/operations.md.

In each round events arrive all the time, a store is spoiled, and the command that restores it is given, first one that
is killed in its middle. Then both stores are held against all that the topic has.
"""

import asyncio
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from devstack import waiting
from stores import postgres_profiles
from tests.faults import actions, checker, history, operating, report, sending, stage, stored
from tests.faults.actions import Action
from tests.faults.crew import Crew
from tests.integration.operations.installation import HOUR_NAME, Installation

NAME: Final = "stores"
_RATE: Final = 300.0
_BEFORE_S: Final = (0.3, 0.8)
_STEP_S: Final = 60.0
_MANY: Final = 3 * postgres_profiles.WRITES_A_STATEMENT
_MIDDLE: Final = """
    SELECT * FROM profile_tags
     ORDER BY cookie COLLATE "C", action, entry_key
    OFFSET (SELECT count(*) / 2 FROM profile_tags) LIMIT 1
"""
"""In the order in which a rebuild writes."""
_PROFILES: Final = ("rebuild-profiles",)
_PROFILES_ANEW: Final = ("rebuild-profiles", "--wipe")
_AGGREGATES: Final = ("rebuild-aggregates", "--from-hour", HOUR_NAME)


def run(on: stage.Stage, size: stage.Size, seed: int) -> report.Outcome:
    """One worker of each kind; a round a store and kind of damage, in an order of the seed's."""
    pick = actions.dice(seed, NAME)
    topic, database = on.topic(NAME), on.database(NAME)
    rounds = pick.sample(_FULL, len(_FULL)) if size == "full" else pick.sample(_SHORT, len(_SHORT))
    plan = [Action(round(pick.uniform(*_BEFORE_S), 2), "spoil", each) for each in rounds]
    on.say(actions.printed(plan))
    with on.workers(topic, database) as crews:
        at = operating.installation(topic, database, on.folder / topic.kafka_topic)
        playing = _Rounds(on, at, crews)
        for number, action in enumerate(plan, 1):
            playing.play(number, action)
        endings = [each for crew in crews.values() for each in crew.endings]
    if len(endings) != playing.endings_expected:
        playing.failures.append(f"ended by themselves: {endings}")
    playing.notes.extend(endings)
    return report.outcome(
        NAME,
        seed,
        playing.verdict,
        plan=plan,
        recovery_s=playing.recovery_s,
        notes=playing.notes,
        failures=playing.failures,
    )


class _Rounds:
    """`at_s` of an action is how long events arrive before it, in its own round.

    `recovery_s` counts from the damage to the moment when both stores have all of the topic, killed tries included.
    """

    def __init__(self, on: stage.Stage, at: Installation, crews: dict[stage.Kind, Crew]) -> None:
        self.verdict = checker.Verdict()
        self.recovery_s: dict[str, list[float]] = {}
        self.failures: list[str] = []
        self.notes: list[str] = []
        self.endings_expected = 0
        self._on, self._at, self._crews = on, at, crews
        self._histories: list[Path] = []
        self._sender: sending.Sender
        self._do: dict[str, Callable[[], None]] = {
            "profiles, wiped by a rebuild": self._wipe_profiles,
            "profiles, lost": self._lose_profiles,
            "profiles, wrong": self._damage_profiles,
            "sums, lost": self._lose_sums,
            "sums, wrong": self._damage_sums,
            "both, lost while no worker runs": self._lose_both,
            "sums with their offsets, lost": self._lose_offsets,
        }

    def play(self, number: int, action: Action) -> None:
        """Spoil, restore, judge."""
        name = f"{NAME}-{number}"
        with self._on.history(name) as log:
            with sending.Sender(self._at.kafka, log, name, 0, _RATE) as sender:
                self._sender = sender
                time.sleep(action.at_s)
                self._wait_for_events_of(name)
                moment = time.monotonic()
                self._do[action.target]()
            late = self._on.settle(self._at.kafka, self._at.database, profiles=True)
            self.recovery_s[_recovery(action.target)] = [time.monotonic() - moment]
        self._histories.append(log.path)
        self._judge(action.target, late)

    def _judge(self, what: str, late: list[str]) -> None:
        entries = itertools.chain.from_iterable(map(history.read, self._histories))
        database = self._at.database
        self.verdict = checker.check(entries, stored.counted(database), stored.profiled(database))
        wrong = [*late, *self.verdict.failures, *stored.disagreements(database)]
        self.failures += [f"{what}: {sentence}" for sentence in wrong]
        self._on.say(f"  {what}: {self.verdict.counted:,} counted{', FAILED' if wrong else ''}")

    def _wait_for_events_of(self, name: str) -> None:
        """In both stores: else there is nothing to lose."""
        if not waiting.until(lambda: all(each.get(f"{name}-0") for each in self._stored()), _STEP_S):
            message = f"no event of {name} was stored within {_STEP_S:.0f} s"
            raise TimeoutError(message)

    def _stored(self) -> list[dict[str, int]]:
        return [stored.counted(self._at.database), stored.profiled(self._at.database)]

    # -- profiles ------------------------------------------------------------------------------------------------------

    def _wipe_profiles(self) -> None:
        entries = sum(stored.profiled(self._at.database).values())
        wiped = operating.Sql("SELECT count(*) < %s FROM profile_tags", (entries,))
        if not operating.kill_when(self._at, wiped, *_PROFILES_ANEW):
            self.failures.append("the rebuild of profiles was over before it could be killed")
        operating.run(self._at, *_PROFILES_ANEW)

    def _lose_profiles(self) -> None:
        """The rebuild is killed where it comes to an entry that somebody else is about to write.

        PostgreSQL may end the statement that it was killed in: with the entry in the middle another one is to come.
        """
        self._sender.burst(_MANY)
        if not waiting.until(lambda: len(stored.profiled(self._at.database)) > _MANY, _STEP_S):
            message = f"{_MANY} profiles were not stored within {_STEP_S:.0f} s"
            raise TimeoutError(message)
        before = stored.profiled(self._at.database).keys()
        [entry] = asyncio.run(self._at.rows(_MIDDLE))
        self._execute("TRUNCATE profile_tags")
        held = operating.Sql("INSERT INTO profile_tags VALUES (%s, %s, %s, %s)", entry)
        operating.kill_at_lock(self._at, held, *_PROFILES, session="allezone profiles")
        if not before - stored.profiled(self._at.database).keys():
            self.failures.append("the rebuild of profiles was over before it could be killed")
        operating.run(self._at, *_PROFILES)

    def _damage_profiles(self) -> None:
        self._execute("DELETE FROM profile_tags WHERE cookie LIKE '%%1'")
        self._execute("UPDATE profile_tags SET value = '' WHERE cookie LIKE '%%2'")
        self._execute("INSERT INTO profile_tags SELECT 'nobody ' || cookie, action, entry_key, value FROM profile_tags")
        operating.run(self._at, *_PROFILES_ANEW)

    # -- sums ----------------------------------------------------------------------------------------------------------

    def _lose_sums(self) -> None:
        self._execute("TRUNCATE aggregate_deltas, minute_totals")
        operating.kill_at_lock(self._at, operating.Sql("SELECT FROM pipeline_offsets FOR UPDATE"), *_AGGREGATES)
        operating.run(self._at, *_AGGREGATES)

    def _damage_sums(self) -> None:
        self._execute("DELETE FROM aggregate_deltas WHERE origin LIKE '%%1'")
        self._execute("UPDATE aggregate_deltas SET count = count + 1 WHERE origin LIKE '%%2'")
        self._execute("UPDATE minute_totals SET sum_price = 0 WHERE partition = 1")
        operating.run(self._at, *_AGGREGATES)

    # -- both ----------------------------------------------------------------------------------------------------------

    def _lose_both(self) -> None:
        workers = {f"{kind}-1": crew for kind, crew in self._crews.items()}
        for name, crew in workers.items():
            crew.remove(name)
        self._execute("TRUNCATE aggregate_deltas, minute_totals, profile_tags")
        operating.run(self._at, *_PROFILES)
        operating.run(self._at, *_AGGREGATES)
        for name, crew in workers.items():
            crew.add(name)

    def _lose_offsets(self) -> None:
        """No command: the worker ends, and the next one counts the topic from its beginning."""
        self._execute("TRUNCATE aggregate_deltas, minute_totals, pipeline_offsets")
        self.endings_expected += 1

    def _execute(self, statement: str) -> None:
        asyncio.run(self._at.execute(statement))


def _recovery(target: str) -> str:
    return f"{target}: until both stores hold all of the topic"


_FULL: Final = (
    "profiles, wiped by a rebuild",
    "profiles, lost",
    "profiles, wrong",
    "sums, lost",
    "sums, wrong",
    "both, lost while no worker runs",
    "sums with their offsets, lost",
)
RECOVERIES: Final = list(map(_recovery, _FULL))
_SHORT: Final = ("profiles, wiped by a rebuild", "sums, lost")
