"""The consumer groups of a seed: what their workers write to, how far they are, and whether all is well at the end."""

import random
from abc import ABC, abstractmethod
from typing import Any

from pipeline import profiles_sink, settings, sink, worker
from stores import offsets
from tests.simulation import oracle, topic, workers
from tests.simulation.broker import Broker
from tests.simulation.storage import Storage
from tests.support.fakes.profile_store import ProfileServer

_MOST_WORKERS = 3
_NEVER_S = 1e6
"""Between looks at what is stored: they would mend what the simulation is to notice."""


class Crew(ABC):
    """Workers of one kind. `wanted` is how many there are to be, `lost` which records they could not have taken."""

    def __init__(self, chosen: random.Random, settings: settings.WorkerSettings, group: str, feed: topic.Feed) -> None:
        self.settings, self.group, self.feed = settings, group, feed
        self.wanted = chosen.randint(1, _MOST_WORKERS)
        self.lost: set[topic.Place] = set()
        self.of = offsets.Consumer(group, topic.TOPIC, workers.TOPIC_ID)

    @abstractmethod
    def sink(self, client: str, log: Any, place: Any, on_written: Any) -> worker.Sink:
        """The sink of one worker process."""

    @property
    @abstractmethod
    def stored(self) -> dict[int, int]:
        """{partition: next offset to take}."""

    @abstractmethod
    def complaints(self) -> list[str]:
        """What the oracle has to say when everything is done."""

    @abstractmethod
    def forget(self, client: str) -> None:
        """A worker process is gone, and its connections with it."""

    def note_lost(self) -> None:
        """Note records that no worker can fetch any more, whenever that may have changed."""
        stored = self.stored
        self.lost |= {
            event.place
            for event in self.feed.events
            if stored.get(event.partition, 0) <= event.offset < self.feed.partitions[event.partition].start
        }

    @property
    def done(self) -> bool:
        """Everything that is in the log is behind the stored offsets."""
        stored, starts = self.stored, [each.start for each in self.feed.partitions]
        last = {event.partition: event.offset + 1 for event in self.feed.events}
        return all(stored.get(partition, 0) >= end or starts[partition] >= end for partition, end in last.items())


class Counting(Crew):
    """The aggregates workers."""

    def __init__(self, chosen: random.Random, feed: topic.Feed, storage: Storage) -> None:
        found = workers.counting(
            buffered_batches=chosen.choice((2, 8)),
            flush_records=chosen.choice((5, 30, 200)),
            compare_interval_s=chosen.choice((3.0, _NEVER_S)),
        )
        super().__init__(chosen, found, found.aggregates_group, feed)
        self._found, self._storage = found, storage

    @property
    def compares(self) -> bool:
        """Whether its workers notice without traffic what a failover took."""
        return self._found.compare_interval_s < _NEVER_S

    def sink(self, client: str, log: Any, place: Any, on_written: Any) -> worker.Sink:
        flushes = self._storage.flushes(client, self.of, self._found.store_patience_s)
        hours = self._storage.hours(client, self._found)
        return sink.Sink(self._found, flushes, log, hours, place, on_written)

    @property
    def stored(self) -> dict[int, int]:
        return self._storage.stored(self.of)

    def complaints(self) -> list[str]:
        return oracle.counted(self.feed.events, self.lost, self._storage)

    def forget(self, client: str) -> None:
        self._storage.server.vanish(client)


class Profiling(Crew):
    """The profiles workers."""

    def __init__(self, chosen: random.Random, feed: topic.Feed, storage: Storage, broker: Broker) -> None:
        found = workers.profiling(buffered_batches=chosen.choice((2, 8)), profile_writes=chosen.choice((5, 30, 200)))
        super().__init__(chosen, found, found.profiles_group, feed)
        self._found, self._storage, self._broker = found, storage, broker
        self.server = ProfileServer(pause=storage.pause)
        self.server.refuse(topic.REFUSED_COOKIE, permanent=True)

    def sink(self, client: str, log: Any, place: Any, on_written: Any) -> worker.Sink:
        kept = self._storage.letters_of(client, self.of, self._found.store_patience_s)
        return profiles_sink.ProfilesSink(self._found, self.server.connect(client), kept, log, place, on_written)

    @property
    def stored(self) -> dict[int, int]:
        told = self._broker.group(self.group).offsets
        return {partition: offset for (_, partition), (offset, _) in told.items()}

    def complaints(self) -> list[str]:
        return oracle.profiled(self.feed.events, self.lost, self.server, self._storage)

    def forget(self, client: str) -> None:
        self.server.vanish(client)
        self._storage.server.vanish(client)
