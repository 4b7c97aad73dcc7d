"""The workers of one kind while a plan is played on them: who is hit, and what must follow."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import psycopg

from bench import exactly_once, workers
from devstack import waiting
from runtime.settings import DatabaseSettings
from tests.faults import pulse, stage, transactions
from tests.faults.actions import Action
from tests.faults.crew import Crew
from tests.faults.progress import Progress
from tests.faults.sending import Sender

STEP_SECONDS: Final = 60.0
_BURST: Final = 3_000
_SEEN_SECONDS: Final = 0.5  # by then what it wrote last is in `progress`
_LOOKS_FOR_A_WRITE: Final = 100
_FENCED: Final = ("allezone_pipeline_settled_elsewhere_total", "allezone_pipeline_abandoned_writes_total")


class Interrupted(Exception):
    """The scenario is over."""


class Frozen(NamedTuple):
    """A worker that is stopped, whether inside a write, and what it told just before."""

    name: str
    inside: bool
    placements: float
    fenced: float
    records: float


def _recovery(fault: str, kind: stage.Kind) -> str:
    return f"worker {fault}, {stage.STORES[kind]}"


RECOVERIES: Final = [
    _recovery(fault, kind) for fault in ("killed", "stopped", "joined", "left") for kind in stage.ONE_OF_EACH
]


class Group:
    """Plays actions. A target with a number is that very worker if it runs; else it is one that is counting just now.

    `kills` are the moments (monotonic) of kills, with the records that the victim had counted since its start;
    `fenced` is how many writes of workers that had been stopped were refused or given up.
    """

    def __init__(
        self,
        kind: stage.Kind,
        crew: Crew,
        progress: Progress,
        beats: pulse.Pulse,
        sender: Sender,
        database: DatabaseSettings,
    ) -> None:
        self.kills: list[tuple[float, float]] = []
        self.fenced = 0.0
        self.notes: list[str] = []
        self.failures: list[str] = []
        self.over = threading.Event()
        self._kind, self._crew, self._progress, self._pulse = kind, crew, progress, beats
        self._sender, self._database = sender, database
        self._faults: list[tuple[str, float]] = []
        self._others_s: list[float] = []
        self._away: list[str] = []

    def play(self, plan: Sequence[Action], say: Callable[[str], None]) -> None:
        """One action after the other. The plan's clock stands while there is nobody counting whom the next could hit.

        Ends early once `over` is set, and where something that was to follow does not within a minute: a failure.
        """
        clock = 0.0
        do = {"kill": self._kill, "strike": self._strike, "stop": self._stop, "join": self._join, "leave": self._leave}
        action = None
        try:
            for action in plan:
                self._pass(action.at_s - clock)
                clock = action.at_s
                say(f"  {action}: {do[action.kind](action)}; {self._progress.total():,} counted")
            self._wait(self._is_recovered, "every partition to be counted again")
        except TimeoutError as error:
            self.failures.append(f"{action}: {error}")
        except Interrupted:
            return

    @property
    def endings(self) -> list[str]:
        """Workers that ended without being told to."""
        return self._crew.endings

    def recovery_s(self) -> dict[str, list[float]]:
        """Seconds from each fault until every partition was counted again, by kind of fault."""
        found = {_recovery("stopped", self._kind): self._others_s}
        for what, moment in self._faults:
            seconds = self._progress.recovery_s(moment)
            if seconds is not None:
                found.setdefault(_recovery(what, self._kind), []).append(seconds)
        return found

    # -- what can be done ----------------------------------------------------------------------------------------------

    def _kill(self, action: Action) -> str:
        name = self._victim(action.target)
        return self._end(name, self._metric(name, pulse.RECORDS))

    def _strike(self, action: Action) -> str:
        """A kill inside a write."""
        frozen = self._freeze(action.target)
        told = self._end(frozen.name, frozen.records)
        self._pulse.asleep(frozen.name, is_so=False)
        return f"{told}, {'inside a write' if frozen.inside else 'between writes'}"

    def _end(self, name: str, records: float) -> str:
        at = time.monotonic()
        self._crew.kill(name)
        self.kills.append((at, records))
        self._faults.append(("killed", at))
        return f"{name}, which had counted {records:,.0f}"

    def _stop(self, action: Action) -> str:
        """For longer than its session: the others take what it had and count on, and it is not believed afterwards."""
        frozen, at = self._freeze(action.target), time.monotonic()
        name, start = frozen.name, self._crew.starts(frozen.name)
        self.over.wait(_SEEN_SECONDS)
        since = self._progress.latest
        try:
            self._wait(lambda: self._progress.moved_all(since), f"the others to count on while {name} is stopped")
            others_s = time.monotonic() - at
            self.over.wait(max(0.0, action.for_s - others_s))
            stopped_s = time.monotonic() - at
        finally:
            self._wake(name)
        self._wait(
            lambda: self._placements(name) > frozen.placements or self._crew.starts(name) > start,
            f"{name} to be placed again",
        )
        refused = self._refused_since(frozen, start)
        self.fenced += refused
        where = "inside a write" if frozen.inside else "between writes"
        told = f"{name} stopped {where} for {stopped_s:.1f} s, the others had all of it after {others_s:.1f} s"
        self.notes.append(f"{told}, {refused:.0f} of its writes were refused or given up")
        self._others_s.append(others_s)
        return told

    def _join(self, _action: Action) -> str:
        name = self._away.pop(0) if self._away else f"{self._kind}-{len(self._crew.names) + 1}"
        at = time.monotonic()
        self._crew.add(name)
        self._crew.wait_ready(name, seconds=STEP_SECONDS)
        self._faults.append(("joined", at))
        return f"{name}, ready after {time.monotonic() - at:.1f} s"

    def _leave(self, action: Action) -> str:
        name = self._victim(action.target)
        self._sender.burst(_BURST)
        at = time.monotonic()
        if not self._crew.remove(name):
            self.failures.append(f"{name} did not end on SIGTERM and was killed")
        self._away.append(name)
        self._faults.append(("left", at))
        return f"{name}, gone after {time.monotonic() - at:.1f} s"

    # -- whom ----------------------------------------------------------------------------------------------------------

    def _victim(self, target: str) -> str:
        if target in self._crew.names:
            return target
        found: list[str] = []

        def look() -> bool:
            found[:] = self._pulse.counting()
            return bool(found)

        self._wait(look, f"a worker of {self._kind} that counts")
        return found[0]

    def _freeze(self, target: str) -> Frozen:
        """Stop a worker; one that counts inside a write, if one of many looks finds one there.

        Profiles are written in single statements, inside of which the server waits for nobody.
        """
        self._sender.burst(_BURST)
        looks = _LOOKS_FOR_A_WRITE if self._kind == "aggregates" else 1
        with psycopg.connect(self._database.conninfo(), autocommit=True) as conn:
            for look in range(looks):
                name = self._victim(target)
                told = self._placements(name), self._fenced(name), self._metric(name, pulse.RECORDS)
                self._pulse.asleep(name, is_so=True)
                self._crew.pause(name)
                inside = self._is_inside(conn, name)
                if inside or look == looks - 1:
                    break
                self._wake(name)
        return Frozen(name, inside, *told)

    def _wake(self, name: str) -> None:
        self._crew.resume(name)
        self._pulse.asleep(name, is_so=False)

    def _is_inside(self, conn: psycopg.Connection, name: str) -> bool:
        pid = self._crew.application(name).pid
        return pid is not None and transactions.is_inside(conn, pid)

    def _placements(self, name: str) -> float:
        return exactly_once.placements(self._crew.application(name))

    def _fenced(self, name: str) -> float:
        return sum(self._metric(name, sample) for sample in _FENCED)

    def _refused_since(self, frozen: Frozen, start: int) -> float:
        """What it counted until now, of writes refused or given up; one that was started again counts anew."""
        refused = self._fenced(frozen.name)
        return max(0.0, refused - frozen.fenced) if self._crew.starts(frozen.name) == start else 0.0

    def _metric(self, name: str, sample: str) -> float:
        return workers.metric(self._crew.application(name), sample) or 0.0

    def _is_recovered(self) -> bool:
        """From the latest fault, and so from all."""
        return not self._faults or self._progress.recovery_s(max(at for _, at in self._faults)) is not None

    def _pass(self, seconds: float) -> None:
        """Raises `Interrupted`."""
        if self.over.wait(seconds):
            raise Interrupted

    def _wait(self, condition: Callable[[], object], what: str) -> None:
        """Raises TimeoutError and `Interrupted`."""
        if not waiting.until(lambda: bool(condition()) or self.over.is_set(), STEP_SECONDS, interval=0.01):
            message = f"waited {STEP_SECONDS:.0f} s for {what}"
            raise TimeoutError(message)
        if self.over.is_set():
            raise Interrupted
