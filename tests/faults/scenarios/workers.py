"""Workers killed, stopped beyond their sessions, added and removed, while events arrive.

Four partitions; three workers of each kind, in whose midst a plan of its own happens to each kind. Most kills hit a
worker that is counting, 0.1 to 2 s behind the one before; while nobody counts, for Kafka waits 6 s for the dead, the
plan's clock stands. Each stop lasts until the others have counted everything that the stopped one had.
"""

import concurrent.futures
import contextlib
import itertools
import random
import statistics
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from runtime.settings import DatabaseSettings, KafkaSettings
from tests.faults import actions, progress, pulse, report, sending, stage, stored, transactions
from tests.faults.actions import Action
from tests.faults.crew import Crew
from tests.faults.scenarios import worker_group

NAME: Final = "workers"
GAP_S: Final = (0.1, 2.0)
"""Between two actions, by the plan's clock."""
_STOP_S: Final = (stage.SESSION_TIMEOUT_S + 0.5, stage.SESSION_TIMEOUT_S + 2.0)
_OFTEN: Final = {"flush_records": 40, "profile_writes": 40, "profile_interval_s": 0.02, "fetch_wait_s": 0.02}
"""Many small writes: the more of them there are, the more are interrupted."""
_MISS_OF: Final = 10
"""One kill in so many may hit a worker that has ended, or has started again, since it was chosen."""
_Step = tuple[str, str]
_MOVE: Final[_Step] = ("join or leave", "")
_LOOK_SECONDS: Final[dict[stage.Kind, float]] = {"aggregates": 0.05, "profiles": 0.25}
_KINDS: Final[tuple[stage.Kind, ...]] = ("aggregates", "profiles")

RECOVERIES: Final = worker_group.RECOVERIES


class Dose(msgspec.Struct, frozen=True):
    """What happens to one kind of workers. `storms` are numbers of kills in a row, `blind` ones hit any worker, also
    one that is just starting, `strikes` one inside a write; `moves` are joins, each followed by a leave."""

    storms: Sequence[int]
    blind: int
    strikes: int
    stops: int
    moves: int


class Extent(msgspec.Struct, frozen=True):
    """`rate` in events a second while the plans last: more of them would have to be counted when the plans are over."""

    events: int
    rate: float
    workers: int
    doses: dict[stage.Kind, Dose]


class Found(NamedTuple):
    """What was done. `moments` are those of kills (monotonic), ascending; `hits` the kills of workers that had counted,
    `cut_off` the clients that left inside a transaction, `fenced` the writes of stopped workers that were refused."""

    moments: Sequence[float]
    hits: int
    cut_off: int
    fenced: float

    def __str__(self) -> str:
        told = f"{len(self.moments)} kills, {self.hits} of workers that had counted since their start, "
        told += f"{self.cut_off} inside a transaction"
        gaps = [later - earlier for earlier, later in itertools.pairwise(self.moments)]
        if gaps:
            told += f"; {min(gaps):.1f} to {max(gaps):.1f} s apart, median {statistics.median(gaps):.1f} s"
        return told

    def missed(self, extent: Extent, *, must_fence: bool) -> list[str]:
        """Sentences: what did not happen though it was planned, without which the scenario shows less than it says."""
        doses = extent.doses.values()
        strikes = sum(dose.strikes for dose in doses)
        aimed = strikes + sum(sum(dose.storms) for dose in doses)
        planned = aimed + sum(dose.blind for dose in doses)
        missed = []
        if len(self.moments) < planned:
            missed.append(f"{len(self.moments)} kills, not the {planned} of the plan")
        if self.hits < aimed - max(1, aimed // _MISS_OF):
            missed.append(f"{self.hits} kills hit a worker that had counted, of {aimed} that were to")
        if strikes and not self.cut_off:
            missed.append("no worker was killed inside a transaction")
        if must_fence and not self.fenced:
            missed.append("no write of a worker that had been stopped was refused or given up")
        return missed


EXTENTS: Final[dict[stage.Size, Extent]] = {
    "full": Extent(
        100_000,
        600.0,
        3,
        {"aggregates": Dose((3, 3, 3, 3, 3), 2, 3, 2, 2), "profiles": Dose((3, 3, 3, 3, 3), 2, 0, 1, 2)},
    ),
    "short": Extent(8_000, 300.0, 2, {"aggregates": Dose((2,), 0, 1, 1, 0), "profiles": Dose((2,), 0, 0, 0, 1)}),
}


def plan(size: stage.Size, seed: int) -> dict[stage.Kind, list[Action]]:
    """What happens to each kind."""
    extent = EXTENTS[size]
    return {
        kind: _plan(actions.dice(seed, f"{NAME}/{kind}"), kind, extent.doses[kind], extent.workers) for kind in _KINDS
    }


def run(on: stage.Stage, size: stage.Size, seed: int) -> report.Outcome:
    """Two plans at once, one on the aggregates workers and one on the profiles workers."""
    extent, plans = EXTENTS[size], plan(size, seed)
    together = actions.in_order([action for each in plans.values() for action in each])
    on.say(actions.printed(together))
    topic, database = on.topic(NAME), on.database(NAME)
    with on.history(NAME) as log, contextlib.ExitStack() as ends:
        sender = ends.enter_context(sending.Sender(topic, log, NAME, extent.events, extent.rate))
        crews = ends.enter_context(on.workers(topic, database, dict.fromkeys(_KINDS, extent.workers), None, **_OFTEN))
        groups = {kind: _group(kind, crew, topic, database, sender, ends) for kind, crew in crews.items()}
        _play(groups, plans, on.say)
        sender.finish()
        late = on.settle(topic, database, profiles=True)
        cut_off = transactions.cut_off(on.shared.postgres.log, database)
    found = _found(groups.values(), cut_off)
    verdict = on.verdict(log, database, profiles=True)
    return report.outcome(
        NAME,
        seed,
        verdict,
        plan=together,
        recovery_s={what: figures for group in groups.values() for what, figures in group.recovery_s().items()},
        notes=[str(found), *(note for group in groups.values() for note in group.notes)],
        failures=[
            *late,
            *stored.disagreements(database),
            *sending.missing(verdict.acknowledged, extent.events),
            *found.missed(extent, must_fence=size == "full"),
            *(f"a worker had no reason to end: {each}" for group in groups.values() for each in group.endings),
            *(each for group in groups.values() for each in group.failures),
        ],
    )


def _group(
    kind: stage.Kind,
    crew: Crew,
    topic: KafkaSettings,
    database: DatabaseSettings,
    sender: sending.Sender,
    ends: contextlib.ExitStack,
) -> worker_group.Group:
    """Running, until `ends` ends."""
    look: progress.Look = progress.Counted(database)
    if kind == "profiles":
        look = progress.Committed(topic, stage.group(kind, topic))
    seen = ends.enter_context(progress.Progress(look, _LOOK_SECONDS[kind]))
    return worker_group.Group(kind, crew, seen, ends.enter_context(pulse.Pulse(crew)), sender, database)


def _play(groups: dict[stage.Kind, worker_group.Group], plans: dict[stage.Kind, list[Action]], say: stage.Say) -> None:
    """Both at once. One that breaks off ends the other."""
    with concurrent.futures.ThreadPoolExecutor(len(groups)) as pool:
        playing = [pool.submit(group.play, plans[kind], say) for kind, group in groups.items()]
        try:
            for each in concurrent.futures.as_completed(playing):
                each.result()
        finally:
            for group in groups.values():
                group.over.set()


def _plan(pick: random.Random, kind: stage.Kind, dose: Dose, workers: int) -> list[Action]:
    """Storms, stops, joins and leaves in an order of the dice's; blind kills and strikes stand inside the storms."""
    kills: list[list[_Step]] = [[("kill", kind)] * length for length in dose.storms]
    for _ in range(dose.blind):
        pick.choice(kills).append(("kill", f"{kind}-{pick.randrange(workers) + 1}"))
    for _ in range(dose.strikes):
        pick.choice(kills).insert(0, ("strike", kind))
    single: list[_Step] = [("stop", kind)] * dose.stops + [_MOVE] * (2 * dose.moves)
    rounds = kills + [[step] for step in single]
    pick.shuffle(rounds)
    moves = itertools.cycle(("join", "leave"))
    steps = [(next(moves), kind) if step is _MOVE else step for each in rounds for step in each]
    return [
        Action(at, what, target, round(pick.uniform(*_STOP_S), 2) if what == "stop" else 0.0)
        for at, (what, target) in zip(actions.moments(pick, len(steps), *GAP_S), steps, strict=True)
    ]


def _found(groups: Iterable[worker_group.Group], cut_off: int) -> Found:
    played = list(groups)
    kills = sorted(kill for group in played for kill in group.kills)
    return Found(
        moments=[moment for moment, _ in kills],
        hits=sum(records > 0 for _, records in kills),
        cut_off=cut_off,
        fenced=sum(group.fenced for group in played),
    )
