"""Everything of one seed: a broker, a database, a network, workers with a supervisor that starts them again, events."""

import contextlib
import functools
import random
from collections.abc import Callable, Iterator
from typing import Any, Final
from unittest import mock

from aiokafka import client

from pipeline import ending, transport
from tests.simulation import clock, topic, workers
from tests.simulation.broker import Broker
from tests.simulation.connection import Network
from tests.simulation.crews import Counting, Crew, Profiling
from tests.simulation.processes import DONE, Process, Thread
from tests.simulation.scheduler import CURRENT, WORLD, Scheduler
from tests.simulation.storage import Storage

_PARTITIONS: Final = (1, 2, 4)
_FORESEEN: Final = (
    "killed",
    "KafkaConnectionError",
    "OffsetsGone",
    "TimeoutError('partitions were not taken up within",
)
"""How a worker may end here: no broker at its start, a failover to before its rows, a place that took too long to find.

Not foreseen, among others: that the watchdog has to end it, that it takes the log for truncated, and that it is done
though nobody told it to stop.
"""


class World:
    """`trace` tells what was done and what came of it, a line each, with the virtual time and the callbacks so far."""

    def __init__(self, seed: int) -> None:
        self.seed, self.random = seed, random.Random(f"{seed}/world")  # noqa: S311 - to be repeatable is the point
        random.seed(seed)  # aiokafka shuffles with it
        self.trace: list[str] = []
        self.loop = Scheduler(seed)
        self._context = WORLD.context()
        self.broker = Broker(self.loop, {topic.TOPIC: self.random.choice(_PARTITIONS)}, self.random.choice((0.0, 0.5)))
        self.network = Network(self.loop, self.broker, seed, self.random.choice((0.002, 0.02, 0.2)))
        slowest_s = self.random.choice((0.001, 0.01, 0.03))
        self.storage = Storage(random.Random(f"{seed}/storage"), slowest_s)  # noqa: S311
        self.feed = topic.Feed(self.broker, random.Random(f"{seed}/feed"))  # noqa: S311
        self.crews = self._choose_crews()
        self.strange_ends: list[str] = []
        self._crew_of: dict[Process, Crew] = {}
        self._inside: dict[Process, workers.Worker] = {}
        self._told: set[Process] = set()
        self._started = 0

    def _choose_crews(self) -> list[Crew]:
        """Most seeds have one kind of worker: two cost twice as much."""
        kinds = self.random.choices((topic.AGGREGATES, topic.PROFILES, "both"), (70, 20, 10))
        made: list[Crew] = []
        if kinds != [topic.PROFILES]:
            made.append(Counting(self.random, self.feed, self.storage))
        if kinds != [topic.AGGREGATES]:
            made.append(Profiling(self.random, self.feed, self.storage, self.broker))
        return made

    def note(self, text: str) -> None:
        self.trace.append(f"{self.loop.time():10.4f} {self.loop.steps:7d} {text}")

    def later(self, delay_s: float, call: Callable[..., object], *args: Any) -> None:
        """The world does it, whoever asks."""
        self.loop.call_later(delay_s, call, *args, context=self._context)

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """What lies below the workers is this world's, meanwhile."""
        with (
            clock.reading(self.loop.time),
            mock.patch.object(client, "create_conn", self.network.connect),
            mock.patch.object(transport, "BatchConsumerThread", Thread),
            mock.patch.object(ending, "end_process", self._ended),
        ):
            yield

    # -- workers -------------------------------------------------------------------------------------------------------

    def supervise(self) -> None:
        """Start what is wanted and not there."""
        for crew in self.crews:
            for _ in range(crew.wanted - len(self.crew(crew))):
                self._started += 1
                process = Process(self.loop, f"{crew.group} {self._started}", self._main, self._on_end)
                self._crew_of[process] = crew
                self.note(f"{process.name} starts")

    @property
    def processes(self) -> list[Process]:
        """That are alive."""
        return list(self._crew_of)

    def crew(self, crew: Crew) -> list[Process]:
        """The processes of one crew."""
        return [process for process, of in self._crew_of.items() if of is crew]

    def stop(self, process: Process) -> None:
        """SIGTERM."""
        if process in self._inside:
            self._told.add(process)
            process.beside(self._inside[process].stop())

    async def _main(self) -> None:
        process = self._running()
        crew = self._crew_of[process]
        made = workers.Worker(
            crew.settings, crew.group, topic.TopicLog(self.network), functools.partial(crew.sink, process.name)
        )
        self._inside[process] = made
        await made.run()

    def _running(self) -> Process:
        return next(process for process in self.processes if process.owns(CURRENT.get()))

    def _ended(self, error: BaseException) -> None:
        self._running().end(error)

    def _on_end(self, process: Process, why: str) -> None:
        self.note(f"{process.name} ended: {why}")
        if not (why.startswith(_FORESEEN) or (why == DONE and process in self._told)):
            self.strange_ends.append(f"{process.name} ended without a reason that it could have: {why}")
        self._crew_of.pop(process).forget(process.name)
        self.network.forget(process.owns)
        self.later(self.random.uniform(0.1, 2.0), self.supervise)

    # -- how far it is -------------------------------------------------------------------------------------------------

    def note_lost(self) -> None:
        """Records may have become impossible to take."""
        for crew in self.crews:
            crew.note_lost()

    @property
    def done(self) -> bool:
        return all(crew.done for crew in self.crews)

    @property
    def compares(self) -> bool:
        """Whether what a failover took is noticed without traffic."""
        return any(isinstance(crew, Counting) and crew.compares for crew in self.crews)

    @property
    def waits_for_traffic(self) -> bool:
        """Whether what a failover took may go unnoticed until the next write."""
        return bool(self.storage.lost_commits) and not self.compares

    @property
    def strange(self) -> list[str]:
        """What is wrong at any time: ends without a reason, and errors that nobody took, of whatever strand."""
        # Of a callback without its arguments: they are told with their addresses, which no second run has again.
        troubles = ((each["message"].partition("(")[0], each.get("exception")) for each in self.loop.troubles)
        return [*self.strange_ends, *(f"an error that nobody took: {where}: {error!r}" for where, error in troubles)]

    @property
    def complaints(self) -> list[str]:
        """What is wrong when everything is done."""
        return [*self.strange, *(complaint for crew in self.crews for complaint in crew.complaints())]
