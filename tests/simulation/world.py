"""Everything of one seed: a broker, a database, a network, workers with a supervisor that starts them again, events."""

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any, Final
from unittest import mock

from aiokafka import client

from pipeline import ending, errors, sink, transport
from stores import offsets
from tests.simulation import clock, topic, workers
from tests.simulation.broker import Broker
from tests.simulation.connection import Network
from tests.simulation.processes import Process, Thread
from tests.simulation.scheduler import CURRENT, WORLD, Scheduler
from tests.simulation.storage import Storage

GROUP: Final = "aggregates"
_PARTITIONS: Final = (1, 2, 4)
_MOST_WORKERS: Final = 3


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
        self.processes: list[Process] = []
        self.wanted = self.random.randint(1, _MOST_WORKERS)
        self.lost: set[tuple[int, int]] = set()
        self.stalled: list[str] = []
        self._of = offsets.Consumer(GROUP, topic.TOPIC, workers.TOPIC_ID)
        self._inside: dict[Process, workers.Worker] = {}
        self._started = 0
        self._settings = workers.settings(
            buffered_batches=self.random.choice((2, 8)), flush_records=self.random.choice((5, 30, 200))
        )

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
        while len(self.processes) < self.wanted:
            self._started += 1
            process = Process(self.loop, f"worker {self._started}", self._main, self._on_end)
            self.processes.append(process)
            self.note(f"{process.name} starts")

    def stop(self, process: Process) -> None:
        """SIGTERM."""
        if process in self._inside:
            process.beside(self._inside[process].stop())

    async def _main(self) -> None:
        made = workers.Worker(self._settings, GROUP, topic.TopicLog(self.network), self._sink)
        self._inside[self._running()] = made
        await made.run()

    def _sink(self, chosen: Any, log: Any, place: Any, on_written: Any) -> sink.Sink:
        name = self._running().name
        flushes = self.storage.flushes(name, self._of, chosen.store_patience_s)
        return sink.Sink(chosen, flushes, log, self.storage.hours(name, chosen), place, on_written)

    def _running(self) -> Process:
        return next(process for process in self.processes if process.owns(CURRENT.get()))

    def _ended(self, error: BaseException) -> None:
        self._running().end(error)

    def _on_end(self, process: Process, why: str) -> None:
        self.note(f"{process.name} ended: {why}")
        if why.startswith(errors.Stalled.__name__):
            self.stalled.append(f"{process.name} lived on without consuming until its watchdog ended it: {why}")
        self.processes.remove(process)
        self.network.forget(process.owns)
        self.storage.server.vanish(process.name)
        self.later(self.random.uniform(0.1, 2.0), self.supervise)

    # -- how far it is -------------------------------------------------------------------------------------------------

    def note_lost(self) -> None:
        """Note records that no worker can fetch any more and that are not counted, whenever that may have changed."""
        self.lost |= topic.has_lost(self.feed.events, self.feed.partitions, self.stored)

    @property
    def stored(self) -> dict[int, int]:
        """{partition: next offset to count}."""
        return self.storage.stored(self._of)

    @property
    def done(self) -> bool:
        """Everything that is in the log is behind the stored offsets."""
        stored = self.stored
        last = {event.partition: event.offset + 1 for event in self.feed.events}
        starts = dict(enumerate(each.start for each in self.feed.partitions))
        return all(stored.get(partition, 0) >= end or starts[partition] >= end for partition, end in last.items())
