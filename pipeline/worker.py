"""Runs a worker: the Faust app, its tasks and its probes, in one process and one event loop."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import faust
import uvloop

from broker import connections, topics
from broker import errors as broker_errors
from pipeline import ending
from pipeline.settings import WorkerSettings
from runtime import health, logging, probes

_log = logging.get_logger(__name__)
_SILENT_S = 45.0


def wait_for_topic(settings: WorkerSettings) -> topics.Topic:
    """The topic, as soon as it is there: a worker that starts before its topic would never consume it."""
    admin = connections.admin(settings.kafka_hosts)
    while True:
        try:
            return topics.describe(admin, settings.kafka_topic, 5.0)
        except (broker_errors.BrokerUnavailable, broker_errors.TopicMissing) as error:
            _log.warning("waiting for the topic", error=str(error))
            time.sleep(1.0)


class Tasks:
    """Tasks beside the agent. One that ends, ends the process: they all run for ever."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def add(self, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run it from the app's start to its stop."""

        @self._app.task  # type: ignore[untyped-decorator]
        async def task() -> None:
            try:
                await run()
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                ending.end_process(error)
            else:
                ending.end_process(RuntimeError(f"a task that runs for ever ended: {run}"))


class Movement:
    """Whether the consumer's loop moves. `/healthz` asks this, and answers from the same event loop."""

    def __init__(self, fetches: Callable[[], int], excused: Callable[[], bool]) -> None:
        """`fetches` counts fetches that returned; `excused` is true while a store that is away holds all of it up."""
        self._fetches, self._excused = fetches, excused
        self._seen, self._at = -1, time.monotonic()

    async def run(self) -> None:
        """Look once a second, for ever."""
        while True:
            if self._fetches() != self._seen or self._excused():
                self._seen, self._at = self._fetches(), time.monotonic()
            await asyncio.sleep(1.0)

    def trouble(self) -> str | None:
        """None, or what is wrong."""
        silent_s = time.monotonic() - self._at
        return None if silent_s < _SILENT_S else f"no fetch has returned for {silent_s:.0f} s"


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


def serve_probes(
    settings: WorkerSettings, tasks: Tasks, dependencies: health.Dependencies, trouble: probes.Alive
) -> None:
    """`/healthz`, `/readyz` and `/metrics` for as long as the worker runs."""
    server = probes.ProbeServer(settings.probe_host, settings.probe_port, dependencies, trouble)

    async def serve() -> None:
        await server.start()
        _log.info("probes served", host=server.host, port=server.port)
        await asyncio.Event().wait()

    tasks.add(serve)


def run(app: Any, before_stop: Callable[[], Awaitable[None]]) -> None:
    """Run the app until SIGTERM or SIGINT. `before_stop` is awaited while the consumer still has its partitions."""
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)

    @app.on_before_shutdown.connect  # type: ignore[untyped-decorator]
    async def _last(*_: Any, **__: Any) -> None:
        await before_stop()

    worker = faust.Worker(app, loop=loop, redirect_stdouts=False, override_logging=False, quiet=True)
    worker.execute_from_commandline()
