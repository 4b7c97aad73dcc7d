"""1,000 good and 10 broken records in one topic, and workers killed: exactly 1,000 events and 10 dead letters.

The ten are then mended and replayed by the operator's commands: by one that is killed in the middle, by two at once,
and by one too many. Each is counted once, and stands in its profile once.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.faults import actions, broken, operating, playing, report, sending, stage, stored, tagging
from tests.faults.actions import Action
from tests.faults.history import ACKNOWLEDGED, History
from tests.integration.operations.installation import HOUR_NAME, Installation
from tests.support import workers

NAME: Final = "letters"
GOOD: Final = 1_000
PARTITIONS: Final = 4
KINDS: Final[tuple[stage.Kind, ...]] = ("aggregates", "profiles")
_KILLS: Final[dict[stage.Size, int]] = {"full": 3, "short": 1}
_APART_S: Final = 7.5
"""A little more than a session: a worker killed before its successor has counted anything proves nothing."""
_WAITING: Final = "SELECT id, consumer_group, reason, value FROM dead_letters WHERE replayed_at IS NULL ORDER BY id"


class _Letter(NamedTuple):
    id: int
    group: str
    reason: str
    value: bytes | None


def run(on: stage.Stage, size: stage.Size, seed: int) -> report.Outcome:
    """One worker of each kind, killed right behind broken records."""
    topic, database = on.topic(NAME, partitions=PARTITIONS), on.database(NAME)
    folder = on.folder / topic.kafka_topic
    at = operating.installation(topic, database, folder)
    records = broken.records(f"{NAME}-mended", GOOD, actions.dice(seed, f"{NAME}/records"))
    plan = _plan(actions.dice(seed, NAME), records, _KILLS[size])
    on.say(actions.printed(plan))
    with on.history(NAME) as log, contextlib.ExitStack() as crews:
        members = crews.enter_context(on.workers(topic, database))
        with sending.Sender(topic, log, NAME, GOOD, GOOD / 2 / (plan[-1].at_s + 1)) as sender:
            for action in playing.on_time(plan):
                if action.kind == "kill":
                    members[_kind(action.target)].kill(action.target)
                else:
                    _send(at, action, records)
            sender.finish()
        failures = on.settle(topic, database, profiles=True) or _judged(at, records)
        failures += failures or _mended_and_replayed(at, log, records, folder)
        if size == "full":
            _rebuild(at)
        verdict = on.verdict(log, database, profiles=True)
    failures += stored.disagreements(database) + [each for kind in KINDS for each in members[kind].endings]
    return report.outcome(NAME, seed, verdict, plan=plan, failures=failures)


def _plan(pick: random.Random, records: Sequence[broken.Broken], kills: int) -> list[Action]:
    """Broken records all the time, and behind some of them the end of both workers."""
    kills_at = list(actions.moments(pick, kills, _APART_S, _APART_S + 1, start_s=1.0 - _APART_S))
    plan = [Action(moment, "kill", f"{kind}-1") for moment in kills_at for kind in KINDS]
    last = kills_at[-1] + 1.0
    moments = [*(moment - pick.uniform(0.0, 0.1) for moment in kills_at)]
    moments += [pick.uniform(0.0, last) for _ in range(len(records) - kills)]
    for record, moment in zip(pick.sample(records, len(records)), moments, strict=True):
        plan.append(Action(round(moment, 3), "send", f"{record.kind} to partition {pick.randrange(PARTITIONS)}"))
    return actions.in_order(plan)


def _kind(worker: str) -> stage.Kind:
    return "aggregates" if worker.startswith("aggregates") else "profiles"


def _send(at: Installation, action: Action, records: Sequence[broken.Broken]) -> None:
    kind, partition = action.target.rsplit(" to partition ", 1)
    workers.send(at.kafka, [record.value for record in records if record.kind == kind], int(partition))


# -- the letters -------------------------------------------------------------------------------------------------------


def _judged(at: Installation, records: Sequence[broken.Broken]) -> list[str]:
    """Each group has exactly a letter of each record that it cannot take, for the right reason, and counts no other."""
    failures = []
    for kind in KINDS:
        expected = Counter((record.value, record.reason) for record in records if kind in record.groups)
        found = Counter((letter.value, letter.reason) for letter in _waiting(at, kind))
        if found != expected:
            failures.append(f"letters of {kind}: missing {expected - found}, too many {found - expected}")
    counted = sum(stored.counted(at.database).values())
    if counted != GOOD:
        failures.append(f"{counted} events counted beside the letters, not {GOOD}")
    return failures


def _waiting(at: Installation, kind: stage.Kind) -> list[_Letter]:
    group = _group(at, kind)
    return [letter for letter in map(_Letter._make, asyncio.run(at.rows(_WAITING))) if letter.group == group]


def _group(at: Installation, kind: stage.Kind) -> str:
    return at.settings.aggregates_group if kind == "aggregates" else at.settings.profiles_group


# -- mended and replayed -----------------------------------------------------------------------------------------------


def _mended_and_replayed(at: Installation, log: History, records: Sequence[broken.Broken], folder: Path) -> list[str]:
    """As docs/operations.md has it. What is mended is acknowledged: it is to be counted once, in the end."""
    for record in records:
        (folder / f"{record.name}.json").write_bytes(tagging.body(record.name, record.number))
    failures = []
    for kind in KINDS:
        began, letters = time.time(), _waiting(at, kind)
        for letter in letters:
            name = next(record.name for record in records if record.value == letter.value)
            operating.run_here(at, ("dead-letters", "mend", str(letter.id), "--value-json", f"{folder}/{name}.json"))
            if kind == "aggregates":  # the other group has letters of some of these
                log.note(name, began, ACKNOWLEDGED)
        failures += _replayed(at, kind, [letter.id for letter in letters])
    return failures


def _replayed(at: Installation, kind: stage.Kind, letters: Sequence[int]) -> list[str]:
    """Killed half-way through the letter in the middle; then two at once, and one too many."""
    middle = letters[len(letters) // 2]
    command = ("dead-letters", "replay", "--group", _group(at, kind))
    locking = operating.Sql("SELECT FROM dead_letters WHERE id = %s FOR UPDATE", (middle,))
    operating.kill_at_lock(at, locking, *command)
    left = len(_waiting(at, kind))
    answers = operating.run_here(at, command, command)
    once_more = operating.run(at, *command)
    failures = []
    if left != len(letters) - len(letters) // 2:
        failures.append(f"the replay killed at letter {middle} left {left} of {len(letters)} {kind} letters")
    if "0 applied, 0 stay dead letters" not in once_more or _waiting(at, kind):
        failures.append(f"{kind} letters stay after {answers}: {once_more}")
    return failures


def _rebuild(at: Installation) -> None:
    """A rebuild knows what letters were mended to."""
    operating.run(at, "rebuild-profiles", "--wipe")
    operating.run(at, "rebuild-aggregates", "--from-hour", HOUR_NAME)
