"""Workers, put together as pipeline.worker does it, on the simulation's servers."""

import asyncio
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from pipeline import app as faust_app
from pipeline import commits, membership, sink, watchdog, worker
from pipeline.settings import AggregatesSettings, ProfilesSettings, WorkerSettings
from tests.simulation.topic import TOPIC, TopicLog

TOPIC_ID = UUID(int=1)


_SHORTER: Final = {
    "environment": "local",
    "session_timeout_s": 6.0,
    "request_timeout_s": 12.0,
    "fetch_wait_s": 0.5,
    "store_patience_s": 4.0,
    "retry_last_s": 1.0,
    "stalled_after_s": 20.0,
    "max_poll_records": 20,
    "data_dir": "/nonexistent",
}
"""Waits that are shorter than in production: virtual time costs real time too."""


def counting(**changed: Any) -> AggregatesSettings:
    return AggregatesSettings(**{**_SHORTER, **changed})


def profiling(**changed: Any) -> ProfilesSettings:
    return ProfilesSettings(**{**_SHORTER, **changed})


class Worker:
    """One worker process's inside. `make_sink` is given the log, the consumer's place, and whom to tell of writes."""

    def __init__(
        self, chosen: WorkerSettings, group: str, log: TopicLog, make_sink: Callable[..., worker.Sink]
    ) -> None:
        self._seeker = worker.Seeker()
        self._app = faust_app.make(chosen, group, self._seeker)
        consuming = faust_app.Consuming(self._app, TOPIC, TOPIC_ID)
        self._committer = commits.Committer(consuming, log)
        self.sink = self._seeker.sink = make_sink(log, consuming, self._committer.note)
        faust_app.add_agent(self._app, TOPIC, self.sink.take)
        members = membership.Membership(log, group, consuming.member_id, log.partitions)
        self._dog = watchdog.Watchdog(
            log,
            lambda: self.sink.expected,
            members.orphans,
            self.sink.is_asking,
            chosen.stalled_after_s,
            self.sink.progress.reach,
        )
        tasks = worker.Tasks(self._app)
        comparing = [self.sink.keep_comparing] if isinstance(self.sink, sink.Sink) else []
        for task in (self.sink.run, self._committer.run, *comparing):
            tasks.add(task)

    async def run(self) -> None:
        """Until it is stopped. Raises what crashed it."""
        self._app.finalize()
        self._watching = asyncio.create_task(worker.for_ever(self._dog.run))
        await self._app.start()
        await self._app.wait()
        if self._app.crash_reason is not None:
            raise self._app.crash_reason

    async def stop(self) -> None:
        """SIGTERM: what waits is written, then the group is left."""
        await worker.write_last(self.sink, self._committer)
        await self._app.stop()
