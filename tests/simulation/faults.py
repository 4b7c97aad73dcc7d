"""What goes wrong: at moments counted in callbacks, so that a fault may fall between any two of them."""

import math
import random
from collections.abc import Callable
from typing import Final

from tests.simulation.crews import Profiling
from tests.simulation.processes import Process
from tests.simulation.world import World
from tests.support.fakes.postgres import Fate
from tests.support.fakes.profile_store import Fault

_STRUCK: Final = ("advance_and_commit",) * 4 + (
    "copy_end",
    "begin",
    "insert_missing",
    "read_settled",
    "ensure",
    "below",
)
_MEAN_STEPS: Final = (50, 200, 600)
LONGEST_S: Final = 9.0
"""Longer than the session timeout: a worker that was held for it is a zombie."""


class Faults:
    """Injects them into `world` from `begin` to `end`."""

    def __init__(self, world: World) -> None:
        self._world, self._random = world, random.Random(f"{world.seed}/faults")  # noqa: S311
        self._mean = self._random.choice(_MEAN_STEPS)
        self._next = 0
        self._stores = [crew.server for crew in world.crews if isinstance(crew, Profiling)]
        kinds: dict[Callable[[], str | None], float] = {
            self._kill: 3,
            self._hold: 3,
            self._stop: 1,
            self._add_or_take: 1,
            self._rebalance: 2,
            self._expire: 1,
            self._cut: 2,
            self._broker_away: 1,
            self._broker_silent: 1,
            self._database_away: 1,
            self._database_frozen: 1,
            self._database_refuses: 0.5,
            self._strike: 3,
            self._cut_database: 2,
            self._fail_over: 1,
            self._store_away: 1 if self._stores else 0,
            self._store_frozen: 1 if self._stores else 0,
            self._strike_store: 2 if self._stores else 0,
            self._store_refuses: 1 if self._stores else 0,
            self._truncate: 0.5,
            self._hole: 0.5,
        }
        # Not every seed has every fault: some are only seen where others are absent.
        self._kinds = {kind: weight * self._random.choice((0, 1, 1, 3)) for kind, weight in kinds.items()}
        if not any(self._kinds.values()):
            self._kinds = kinds

    def begin(self) -> None:
        self._wait()
        self._world.loop.on_step = self._step

    def end(self) -> None:
        """Everything is there again, and stays.

        Strikes that are armed stay so: nothing else strikes the last write, behind which none comes that would mend it.
        """
        world = self._world
        world.loop.on_step = lambda: None
        world.network.come_back()
        world.storage.server.start()
        world.storage.server.thaw()
        for store in self._stores:
            store.away = False
            store.thaw()
        engine = world.storage.server.engine
        engine.disk_full = engine.read_only = False
        for process in world.processes:
            world.loop.let_go(process.strand)
        world.note("the faults are over")

    def _wait(self) -> None:
        self._next = self._world.loop.steps + 1 + int(-math.log(1 - self._random.random()) * self._mean)

    def _step(self) -> None:
        if self._world.loop.steps >= self._next:
            self._wait()
            [fault] = self._random.choices(list(self._kinds), list(self._kinds.values()))
            if (told := fault()) is not None:
                self._world.note(told)

    def _duration_s(self) -> float:
        """Most are short."""
        return LONGEST_S * float(self._random.random() ** 2)

    def _one(self, held: bool = False) -> Process | None:
        found = [each for each in self._world.processes if each.held is held]
        return self._random.choice(found) if found else None

    # -- workers -------------------------------------------------------------------------------------------------------

    def _kill(self) -> str | None:
        process = self._one(held=self._random.random() < 0.2)
        if process is not None:
            process.kill("killed")
        return None

    def _hold(self) -> str | None:
        process, for_s = self._one(), self._duration_s()
        if process is None:
            return None
        self._world.loop.hold(process.strand)
        self._world.later(for_s, self._let_go, process)
        return f"{process.name} is held for {for_s:.3f} s"

    def _let_go(self, process: Process) -> None:
        if process.held and process.alive:
            self._world.loop.let_go(process.strand)
            self._world.note(f"{process.name} goes on")

    def _stop(self) -> str | None:
        process = self._one()
        if process is None:
            return None
        self._world.stop(process)
        return f"{process.name} is told to stop"

    def _add_or_take(self) -> str | None:
        world = self._world
        crew = self._random.choice(world.crews)
        crew.wanted = self._random.randint(1, 3)
        world.supervise()
        for process in world.crew(crew)[crew.wanted :]:
            world.stop(process)
        return f"{crew.wanted} {crew.group} workers are wanted"

    # -- Kafka ---------------------------------------------------------------------------------------------------------

    def _rebalance(self) -> str | None:
        for group in self._world.broker.groups.values():
            if group.members:
                group.rebalance()
        return "a rebalance"

    def _expire(self) -> str | None:
        members = [(group, each) for group in self._world.broker.groups.values() for each in group.members]
        if not members:
            return None
        group, member = self._random.choice(members)
        group.expire(member)
        return f"the group forgets {member}"

    def _cut(self) -> str | None:
        network = self._world.network
        cut = [each for each in network.connections if self._random.random() < 0.5]
        network.cut(cut)
        return f"{len(cut)} connections to Kafka are cut"

    def _broker_away(self) -> str | None:
        for_s = self._duration_s()
        self._world.network.go_away()
        self._world.later(for_s, self._world.network.come_back)
        return f"Kafka is away for {for_s:.3f} s"

    def _broker_silent(self) -> str | None:
        for_s = self._duration_s()
        self._world.network.silent = True
        self._world.later(for_s, self._world.network.come_back)
        return f"Kafka is silent for {for_s:.3f} s"

    def _truncate(self) -> str | None:
        partition = self._random.choice(self._world.feed.partitions)
        partition.truncate(self._random.randint(partition.start, partition.end))
        self._world.note_lost()
        return f"a partition begins at {partition.start}"

    def _hole(self) -> str | None:
        partition = self._random.choice(self._world.feed.partitions)
        partition.leave_hole(self._random.randint(1, 3))
        return f"a hole below {partition.end}"

    # -- PostgreSQL ----------------------------------------------------------------------------------------------------

    def _database_away(self) -> str | None:
        server, for_s = self._world.storage.server, self._duration_s()
        ending = self._random.choice((server.stop, server.crash))
        ending()
        self._world.later(for_s, server.start)
        return f"PostgreSQL is away for {for_s:.3f} s, by {ending.__name__}"

    def _database_frozen(self) -> str | None:
        server, for_s = self._world.storage.server, self._duration_s()
        server.freeze()
        self._world.later(for_s, server.thaw)
        return f"PostgreSQL is frozen for {for_s:.3f} s"

    def _database_refuses(self) -> str | None:
        engine, for_s = self._world.storage.server.engine, self._duration_s()
        trouble = self._random.choice(("disk_full", "read_only"))
        setattr(engine, trouble, True)
        self._world.later(for_s, setattr, engine, trouble, False)
        return f"PostgreSQL is {trouble} for {for_s:.3f} s"

    def _strike(self) -> str | None:
        """Whatever happens to a message in the network, at the next one of a kind."""
        fate, late_s = self._random.choice(list(Fate)), self._random.choice((0.0, self._duration_s()))
        query = self._random.choice(_STRUCK)
        self._world.storage.server.strike(query, fate, late_s=late_s)
        return f"the next {query} is {fate.name}, {late_s:.3f} s late"

    def _cut_database(self) -> str | None:
        process, delivered = self._one(), self._random.random() < 0.5
        if process is None:
            return None
        self._world.storage.server.cut(process.name, delivered=delivered)
        return f"connections of {process.name} to PostgreSQL are cut, what was sent arrives: {delivered}"

    def _fail_over(self) -> str | None:
        lost = self._random.choice((0, 1, 1, 2, 5))
        self._world.storage.fail_over(lost)
        self._world.note_lost()
        return f"PostgreSQL fails over and loses {lost} commits"

    # -- the profile store ---------------------------------------------------------------------------------------------

    def _store_away(self) -> str | None:
        [store], for_s = self._stores, self._duration_s()
        store.away = True
        self._world.later(for_s, setattr, store, "away", False)
        return f"the profile store is away for {for_s:.3f} s"

    def _store_frozen(self) -> str | None:
        [store], for_s = self._stores, self._duration_s()
        store.freeze()
        self._world.later(for_s, store.thaw)
        return f"the profile store is frozen for {for_s:.3f} s"

    def _strike_store(self) -> str | None:
        fault, late_s = self._random.choice(list(Fault)), self._duration_s()
        self._stores[0].strike(fault, late_s=late_s)
        return f"the next profile write: {fault.value}, {late_s:.3f} s late"

    def _store_refuses(self) -> str | None:
        cookie, times = f"cookie-{self._random.randrange(3)}", self._random.randint(1, 3)
        self._stores[0].refuse(cookie, permanent=False, times=times)
        return f"the profile store refuses {cookie}, {times} times"
