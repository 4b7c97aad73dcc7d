"""What a scenario plays on: servers, topics and databases, crews of our own processes, histories, and the verdict."""

import contextlib
import itertools
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from bench import workers
from broker import connections, errors, groups, topics
from devstack import ports, waiting
from devstack.applications import Application
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.faults import checker, crew, progress, stored
from tests.faults.history import History, read
from tests.support import gateways

Size = Literal["full", "short"]
Kind = Literal["aggregates", "profiles"]
Say = Callable[[str], None]

ONE_OF_EACH: Final[Mapping[Kind, int]] = {"aggregates": 1, "profiles": 1}
STORES: Final[Mapping[str, str]] = {"aggregates": "sums", "profiles": "profiles"}
"""What a kind of worker writes to, as recovery times name it."""
SESSION_TIMEOUT_S = 6
"""The shortest that workers take: how long Kafka waits for one that was killed."""
SETTLE_SECONDS = 120.0


class Stage:
    """`folder` gets logs and histories and stays; what runs ends with the stage.

    `shared` servers are started when first asked for, and must be left as they were; `servers()` gives others.
    """

    def __init__(
        self,
        folder: Path,
        say: Say = lambda _text: None,
        *,
        plant: str | None = None,
        shared: workers.Servers | None = None,
        histories: Path | None = None,
    ) -> None:
        self.folder, self.say, self.plant = folder, say, plant
        self._histories = histories or folder
        self._shared = shared
        self._ends = contextlib.ExitStack()
        self._numbers = itertools.count(1)
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ends.close()

    # -- servers -------------------------------------------------------------------------------------------------------

    @property
    def shared(self) -> workers.Servers:
        """One broker and one PostgreSQL for all scenarios that break neither."""
        self.start_shared()
        assert self._shared is not None
        return self._shared

    def start_shared(self) -> None:
        """Now, if they do not run yet. They end with the thread that started them (devstack/tether.py)."""
        if self._shared is None:
            self._shared = self._ends.enter_context(self.servers())

    @contextlib.contextmanager
    def servers(self) -> Iterator[workers.Servers]:
        """A broker and a PostgreSQL for one scenario alone: to be frozen, restarted and filled up."""
        kept = self.folder / f"servers-{next(self._numbers)}"
        with workers.servers(throwaway_data=True) as started:
            try:
                yield started
            finally:
                kept.mkdir(parents=True, exist_ok=True)
                for server in (started.kafka, started.postgres):
                    shutil.copy(server.log, kept)

    def topic(self, scenario: str, servers: workers.Servers | None = None, partitions: int = 4) -> KafkaSettings:
        """A new topic."""
        return (servers or self.shared).topic(f"{scenario}-{next(self._numbers)}", partitions)

    def database(self, scenario: str, servers: workers.Servers | None = None) -> DatabaseSettings:
        """A new database with all its tables."""
        return (servers or self.shared).database(f"{scenario}_{next(self._numbers)}")

    # -- our processes -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def workers(
        self,
        topic: KafkaSettings,
        database: DatabaseSettings,
        counts: Mapping[Kind, int] = ONE_OF_EACH,
        through: Mapping[Kind, DatabaseSettings] | None = None,
        **settings: object,
    ) -> Iterator[dict[Kind, crew.Crew]]:
        """A crew a kind, of workers named KIND-1 and so on, started together and ready.

        `through` is how a kind reaches the database, if not as `database` says; `settings` are those of the processes.
        """
        with contextlib.ExitStack() as ends:
            crews: dict[Kind, crew.Crew] = {}
            for kind, count in counts.items():
                make = self._make_worker(kind, topic, (through or {}).get(kind, database), settings)
                crews[kind] = ends.enter_context(self._crew(make, kind, count))
            for members in crews.values():
                members.wait_ready()
            yield crews

    def _make_worker(
        self, kind: Kind, topic: KafkaSettings, database: DatabaseSettings, settings: Mapping[str, object]
    ) -> crew.Make:
        quick = {
            f"{kind}_group": group(kind, topic),
            "session_timeout_s": SESSION_TIMEOUT_S,
            "flush_interval_s": 0.05,
            **settings,
        }
        logs = self._logs(topic)

        def make(name: str) -> Application:
            # Not a temporary folder: one that is killed would leave it behind.
            own = {**quick, "data_dir": logs / f"{name}.faust"}
            return workers.worker(name, logs, topic, database, [*self._planted(), "pipeline", kind], **own)

        return make

    @contextlib.contextmanager
    def gateways(
        self, count: int, topic: KafkaSettings, database: DatabaseSettings, **settings: object
    ) -> Iterator[crew.Crew]:
        """A crew of gateways named gateway-1 and so on, ready, each on a port that it keeps."""
        logs = self._logs(topic)

        def make(name: str) -> Application:
            port = ports.reserve()
            environment = gateways.environment(topic, database, gateway_port=port, **settings)
            run, log = [*self._planted(), "gateway"], logs / f"{name}.log"
            return Application(name, run, port, environment, log, throwaway=True)

        with self._crew(make, "gateway", count) as members:
            members.wait_ready()
            yield members

    @contextlib.contextmanager
    def _crew(self, make: crew.Make, kind: str, count: int) -> Iterator[crew.Crew]:
        """Started, and not waited for."""
        with crew.Crew(make) as members:
            members.add(*(f"{kind}-{number + 1}" for number in range(count)))
            yield members

    def _planted(self) -> list[str]:
        return [] if self.plant is None else ["tests.faults.planted", self.plant]

    def _logs(self, topic: KafkaSettings) -> Path:
        """The folder for logs of processes on `topic`: each scenario has a topic of its own."""
        return self.folder / topic.kafka_topic

    # -- what came of it -----------------------------------------------------------------------------------------------

    def history(self, scenario: str) -> History:
        """The file of a scenario's requests."""
        return History(self._histories / f"{scenario}.jsonl")

    def settle(
        self, topic: KafkaSettings, database: DatabaseSettings, *, profiles: bool, seconds: float = SETTLE_SECONDS
    ) -> list[str]:
        """Wait until everything in `topic` is counted, and in profiles; a sentence where it is not within `seconds`."""
        looks: dict[str, progress.Look] = {"sums": progress.Counted(database)}
        if profiles:
            looks["profiles"] = progress.Committed(topic, group("profiles", topic))
        deadline = time.monotonic() + seconds
        late = []
        for what, look in looks.items():
            if not waiting.until(lambda: _has_all(look(), topic), deadline - time.monotonic()):  # noqa: B023
                late.append(f"the {what} are at {look()} of {_ends(topic)} after {seconds:.0f} s")
            look.close()
        return late

    def verdict(self, log: History, database: DatabaseSettings, *, profiles: bool) -> checker.Verdict:
        """What the stores hold, judged by what `log`, which is closed here, says."""
        log.close()
        found = stored.profiled(database) if profiles else None
        return checker.check(read(log.path), stored.counted(database), found)


def group(kind: Kind, topic: KafkaSettings) -> str:
    """The consumer group of a crew: its own, for members that were killed stay in a group for a while."""
    return f"{kind}-{topic.kafka_topic}"


def assignments(kind: Kind, topic: KafkaSettings) -> dict[str, set[int]] | None:
    """`{member id: its partitions}` of a crew's group; None in a rebalance. Raises `broker.errors.BrokerError`."""
    return groups.assignments(connections.Admin(topic.kafka_hosts), group(kind, topic), topic.kafka_topic)


def is_rebalancing(kind: Kind, topic: KafkaSettings) -> bool:
    """Whether a crew's group is known to be in a rebalance now."""
    try:
        return assignments(kind, topic) is None
    except errors.BrokerError:
        return False


def _has_all(offsets: progress.Offsets | None, topic: KafkaSettings) -> bool:
    """Whether `offsets` are the ends of the topic; a partition without records is in no one's offsets."""
    return offsets is not None and all(offsets.get(each, 0) == end for each, end in _ends(topic).items())


def _ends(topic: KafkaSettings) -> dict[int, int]:
    return {each: end for each, (_, end) in topics.offsets(topic.kafka_hosts, topic.kafka_topic).items()}
