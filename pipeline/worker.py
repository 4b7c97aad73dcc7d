"""Runs a worker: the Faust app, its tasks and its probes, in one process and one event loop."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import faust
import uvloop

from broker import connections, topics
from broker import errors as broker_errors
from pipeline import app as faust_app
from pipeline import batches, commits, ending, garbage, log, membership, progress, watchdog
from pipeline.heartbeat import Heartbeat
from pipeline.settings import WorkerSettings
from runtime import health, logging, metrics, probes

_log = logging.get_logger(__name__)
_SILENT = 0.75  # of the time after which the watchdog ends a worker, so that /healthz goes bad before
_LEAST_SILENT_S = 3.0  # a fetch that finds nothing takes more than a second
_LAST_WRITE_S = 5.0


def wait_for_topic(settings: WorkerSettings) -> topics.Topic:
    """The topic, as soon as it is there: a worker that starts before its topic would never consume it."""
    ask = connections.Asking(settings.kafka_hosts)
    while True:
        try:
            return ask(topics.describe, settings.kafka_topic, 5.0)
        except (broker_errors.BrokerUnavailable, broker_errors.TopicMissing) as error:
            _log.warning("waiting for the topic", error=str(error))
            time.sleep(1.0)


async def for_ever(run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """`run`, which is to run until it is cancelled: its end, however it comes, is the process's."""
    try:
        await run()
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        ending.end_process(error)
    else:
        ending.end_process(RuntimeError(f"a task that runs for ever ended: {run}"))


class Tasks:
    """Tasks beside the agent. One that ends, ends the process."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def add(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run it from the moment when the app is placed for the first time to its stop."""

        @self._app.task  # type: ignore[untyped-decorator]
        async def task() -> None:
            await for_ever(run)


class Movement:
    """Whether the consumer's loop moves. `/healthz` asks this, and answers from the same event loop."""

    def __init__(self, fetches: Callable[[], int], excused: Callable[[], bool], silent_s: float) -> None:
        """`fetches` counts fetches that returned, and is to change within `silent_s`; `excused` is true while a store
        that is away holds all of it up."""
        self._fetches, self._excused, self._silent_s = fetches, excused, silent_s
        self._seen, self._at = -1, time.monotonic()

    async def run(self) -> None:
        """Look again and again, for ever."""
        while True:
            if self._fetches() != self._seen or self._excused():
                self._seen, self._at = self._fetches(), time.monotonic()
            await asyncio.sleep(self._silent_s / 10)

    def trouble(self) -> str | None:
        """None, or what is wrong."""
        silent_s = time.monotonic() - self._at
        return None if silent_s < self._silent_s else f"no fetch has returned for {silent_s:.0f} s"


class Readiness:
    """Reports to `/readyz`: the store answers, and partitions were taken up once."""

    def __init__(self, store: str, placed: Callable[[], bool], asking: Callable[[], bool]) -> None:
        self.dependencies = health.Dependencies(others=["kafka", store])
        self._store, self._placed, self._asking = store, placed, asking

    async def run(self) -> None:
        """Look four times a second, for ever."""
        while True:
            if self._asking():
                self.dependencies.down(self._store, "a question to it or to Kafka is being asked again")
            elif self._placed():
                self.dependencies.up("kafka")
                self.dependencies.up(self._store)
            await asyncio.sleep(0.25)


class Sink(Protocol):
    """What a worker does with batches; `sink.Sink` and `profiles_sink.ProfilesSink` are two."""

    placed: bool
    progress: progress.Progress

    async def take(self, batch: batches.Batch) -> None: ...
    async def starts(self, partitions: set[int]) -> dict[int, int]: ...
    async def run(self) -> None: ...
    async def write(self) -> None: ...
    def is_asking(self) -> bool: ...
    @property
    def expected(self) -> dict[int, int]: ...


class Worker:
    """One consumer group's process, to be given its sink and run.

    `consuming`, `kafka` and `committer` are what the sink works with.
    """

    def __init__(self, settings: WorkerSettings, group: str, store: str) -> None:
        """Waits for the topic. `store` names what the sink writes to, for `/readyz`."""
        metrics.export_build(settings.release)
        self.loop = uvloop.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.topic = wait_for_topic(settings)
        self.kafka = log.KafkaLog(settings.kafka_hosts, self.topic.name, self.topic.id)
        self._settings, self._group, self._store = settings, group, store
        self._seeker = Seeker()
        self._app = faust_app.make(settings, group, self._seeker)
        self.consuming = faust_app.Consuming(self._app, self.topic.name, self.topic.id)
        self.committer = commits.Committer(self.consuming, self.kafka)

    def run(self, sink: Sink, *more: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Consume into `sink` until SIGTERM or SIGINT, with `more` tasks that run as long."""
        self._seeker.sink = sink
        faust_app.add_agent(self._app, self.topic.name, sink.take)
        dog = watchdog.Watchdog(
            self.kafka,
            lambda: sink.expected,
            membership.Membership(self.kafka, self._group, self.consuming.member_id, self.topic.partitions).orphans,
            sink.is_asking,
            self._settings.stalled_after_s,
            sink.progress.reach,
        )
        silent_s = max(_LEAST_SILENT_S, _SILENT * self._settings.stalled_after_s)
        movement = Movement(lambda: self._app.transport.fetches, sink.is_asking, silent_s)
        heartbeat = Heartbeat(self._settings.stalled_after_s)
        readiness = Readiness(self._store, lambda: sink.placed, sink.is_asking)
        probe_server = probes.ProbeServer(
            self._settings.probe_host, self._settings.probe_port, readiness.dependencies, movement.trouble
        )
        tasks = Tasks(self._app)
        for task in (sink.run, self.committer.run, movement.run, readiness.run, _served(probe_server), *more):
            tasks.add(task)
        garbage.calm()
        self._until_signal(sink, heartbeat.run, dog.run)

    def _until_signal(self, sink: Sink, *watching: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """`watching` begins before anything else, and ends behind it: what hangs on the way is seen by nobody else."""

        @self._app.on_before_shutdown.connect  # type: ignore[untyped-decorator]
        async def last(*_: Any, **__: Any) -> None:
            await write_last(sink, self.committer)

        worker = faust.Worker(self._app, loop=self.loop, redirect_stdouts=False, override_logging=False, quiet=True)
        worker.spinner = None  # it writes the codes that hide and show a terminal's cursor into the log
        for run in watching:
            worker.add_future(for_ever(run))
        worker.execute_from_commandline()


async def write_last(sink: Sink, committer: commits.Committer) -> None:
    """Write what waits before the partitions go, so that the next worker need not read it again.

    Within a few seconds, or not at all: nothing depends on it. What ends a worker ends it here too: an error that came
    out would leave Faust's consumer thread running, and with it the partitions taken.
    """
    try:
        async with asyncio.timeout(_LAST_WRITE_S):
            await sink.write()
            await committer.commit()
    except TimeoutError:
        _log.info("no last write: the store did not answer in time")
    except Exception as error:
        ending.end_process(error)


class Seeker:
    """`transport.Seeker`: the sink, which is made after the app that it needs."""

    sink: Sink

    async def starts(self, partitions: set[int]) -> dict[int, int]:
        return await self.sink.starts(partitions)

    def is_asking(self) -> bool:
        return self.sink.is_asking()

    def seek_failed(self, error: BaseException) -> None:
        ending.end_process(error)


def _served(server: probes.ProbeServer) -> Callable[[], Coroutine[Any, Any, None]]:
    async def serve() -> None:
        await server.start()
        _log.info("probes served", host=server.host, port=server.port)
        await asyncio.Event().wait()

    return serve
