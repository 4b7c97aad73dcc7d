"""Three gateways killed, ended and started again under load, also while Kafka is frozen; their clients fail over.

Whoever was told `204` finds the event counted once; whoever was told that it is not stored finds it nowhere; some
bodies must be refused, whatever happens to the gateway meanwhile.
"""

import contextlib
import random
import time
from typing import Final

import msgspec

from tests.faults import actions, clients, playing, progress, report, stage, stored
from tests.faults.actions import Action
from tests.faults.crew import Crew
from tests.faults.progress import Progress

NAME: Final = "gateways"
REPLICAS: Final = 3
GAP_S: Final = (0.5, 2.5)
_FREEZE_S: Final = (2.5, 4.0)
_INTO_FREEZE_S: Final = (0.8, 1.4)
_LAST_SECONDS: Final = 3.0
_BAD_EVERY: Final = 40
_TIMEOUT_MS: Final = 2_000  # shorter than a freeze: some get "unknown" by it
_RECOVERED_SECONDS: Final = 60.0
_UNDER_WAY_SECONDS: Final = 0.1  # answers that were sent before the kill have come by then

_KILLED: Final = "gateway killed, until it acknowledges events again"
_FROZEN: Final = "Kafka: frozen under gateways, sums"
RECOVERIES: Final = [_KILLED, _FROZEN]


class Extent(msgspec.Struct, frozen=True):
    """`kills` and `terms` are those outside of freezes; each freeze has one of each inside."""

    rate: float
    kills: int
    terms: int
    freezes: int


EXTENTS: Final[dict[stage.Size, Extent]] = {"full": Extent(400.0, 8, 5, 3), "short": Extent(150.0, 1, 1, 1)}


def plan(size: stage.Size, seed: int) -> list[Action]:
    """Kills and ends of gateways of the dice's choice, some of them while Kafka is frozen."""
    extent, pick = EXTENTS[size], actions.dice(seed, NAME)
    rounds = ["kill"] * extent.kills + ["term"] * extent.terms + ["freeze"] * extent.freezes
    pick.shuffle(rounds)
    made: list[Action] = []
    moment = 0.0
    for what in rounds:
        moment = round(moment + pick.uniform(*GAP_S), 3)
        made += _freeze(pick, moment) if what == "freeze" else [Action(moment, what, _any(pick))]
        moment = made[-1].at_s
    return made


def run(on: stage.Stage, size: stage.Size, seed: int) -> report.Outcome:
    """The plan by the clock, then everything is counted."""
    extent, todo = EXTENTS[size], plan(size, seed)
    on.say(actions.printed(todo))
    topic, database = on.topic(NAME), on.database(NAME)
    with on.history(NAME) as log, contextlib.ExitStack() as ends:
        crew = ends.enter_context(on.gateways(REPLICAS, topic, database, produce_timeout_ms=_TIMEOUT_MS))
        workers = ends.enter_context(on.workers(topic, database))
        counted = ends.enter_context(progress.Progress(progress.Counted(database)))
        ports = [crew.application(name).port for name in crew.names]
        with clients.Clients(ports, log, NAME, extent.rate, _BAD_EVERY) as senders:
            faults = _Faults(on, crew, senders, counted)
            faults.play(todo)
        late = on.settle(topic, database, profiles=True)
    verdict = on.verdict(log, database, profiles=True)
    wrong = [f"bodies that must be refused got 204: {senders.accepted}"] if senders.accepted else []
    endings = [each for members in (crew, *workers.values()) for each in members.endings]
    return report.outcome(
        NAME,
        seed,
        verdict,
        plan=todo,
        recovery_s=faults.recovery_s(),
        notes=[f"answers by status, 0 is none: {dict(sorted(senders.statuses.items()))}"],
        failures=[*late, *stored.disagreements(database), *wrong, *faults.unrecovered(), *endings],
    )


class _Faults:
    """Does what a plan says, and remembers when."""

    def __init__(self, on: stage.Stage, crew: Crew, senders: clients.Clients, counted: Progress) -> None:
        self._on, self._crew, self._senders, self._counted = on, crew, senders, counted
        self._kills: list[tuple[str, int, float]] = []
        self._thaws: list[float] = []

    def play(self, todo: list[Action]) -> None:
        """All of it; back when every gateway is there again and has been asked for a while."""
        kafka = self._on.shared.kafka
        try:
            for action in playing.on_time(todo):
                self._on.say(f"  {action}; {self._counted.total():,} counted")
                match action.kind:
                    case "freeze":
                        kafka.pause()
                    case "thaw":
                        kafka.resume()
                        self._thaws.append(time.monotonic())
                    case "kill":
                        self._kill(action.target)
                    case "term":
                        self._crew.ask_to_restart(action.target)
        finally:
            kafka.resume()
        self._crew.wait_ready(seconds=_RECOVERED_SECONDS)
        time.sleep(_LAST_SECONDS)

    def recovery_s(self) -> dict[str, list[float]]:
        """Until a killed gateway acknowledges again; until, after a freeze, every partition is counted again."""
        again = [self._senders.acknowledged_s(port, moment) for _, port, moment in self._kills]
        counted = [self._counted.recovery_s(moment) for moment in self._thaws]
        return {
            _KILLED: [seconds for seconds in again if seconds is not None],
            _FROZEN: [seconds for seconds in counted if seconds is not None],
        }

    def unrecovered(self) -> list[str]:
        """Sentences: the kills after which a gateway never acknowledged an event again, thaws behind which none was
        counted."""
        return [
            *(
                f"{name} was killed and acknowledged nothing again"
                for name, port, moment in self._kills
                if self._senders.acknowledged_s(port, moment) is None
            ),
            *(
                f"thaw {number} of Kafka: no new sums in every partition"
                for number, moment in enumerate(self._thaws, 1)
                if self._counted.recovery_s(moment) is None
            ),
        ]

    def _kill(self, name: str) -> None:
        self._crew.kill(name)
        self._kills.append((name, self._crew.application(name).port, time.monotonic() + _UNDER_WAY_SECONDS))


def _freeze(pick: random.Random, moment: float) -> list[Action]:
    """A gateway is killed, and another asked to end, while it lasts."""
    lasts = round(pick.uniform(*_FREEZE_S), 2)
    killed, ended = pick.sample(range(1, REPLICAS + 1), 2)
    inside = round(moment + pick.uniform(*_INTO_FREEZE_S), 3)
    later = round(inside + pick.uniform(0.1, 1.0), 3)
    return [
        Action(moment, "freeze", "kafka", lasts),
        Action(inside, "kill", f"gateway-{killed}"),
        Action(later, "term", f"gateway-{ended}"),
        Action(round(moment + lasts, 3), "thaw", "kafka"),
    ]


def _any(pick: random.Random) -> str:
    return f"gateway-{pick.randrange(REPLICAS) + 1}"
