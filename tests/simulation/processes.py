"""A worker as a process of the simulation: the real app, consumer, sink and tasks, in a strand of their own.

It can be killed and held at any moment. What is not real: the process around it (faust.Worker, its signals and its
probes), and the thread that aiokafka runs in, which is a strand here.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import mode.threads

from pipeline import transport
from tests.simulation.scheduler import CURRENT, Scheduler, Strand

_LOOK_S: Final = 1.0
"""How often aiokafka looks whether there is something to fetch, events apart; 0.2 otherwise, which is costly."""
DONE: Final = "done"
"""Why a process ended whose `main` came to its end."""
Main = Callable[[], Coroutine[Any, Any, None]]


class Ended(BaseException):
    """Ends what runs in a process that has just ended itself."""


class Process:
    """Runs `main` until it ends, is killed, or kills itself; `on_end` is then told why."""

    def __init__(self, loop: Scheduler, name: str, main: Main, on_end: Callable[["Process", str], None]) -> None:
        self.name, self.strand = name, Strand(name)
        self._loop, self._main, self._on_end = loop, main, on_end
        self._tasks = [loop.create_task(self._run(), context=self.strand.context())]

    @property
    def alive(self) -> bool:
        return not self.strand.dead

    @property
    def held(self) -> bool:
        return self.strand.held

    def owns(self, strand: Strand) -> bool:
        """Whether `strand` is of this process."""
        return strand is self.strand or strand in self.strand.threads

    def kill(self, why: str) -> None:
        """SIGKILL: no line of it runs any more."""
        if self.alive:
            self._loop.kill(self.strand)
            self._on_end(self, why)

    def end(self, error: BaseException) -> None:
        """`pipeline.ending.end_process`, called by the process itself. Does not return."""
        self.kill(repr(error))
        raise Ended

    def beside(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run something else in the process, as a signal's handler."""
        self._tasks.append(self._loop.create_task(coroutine, context=self.strand.context()))

    async def _run(self) -> None:
        try:
            await self._main()
        except Exception as error:
            self.kill(repr(error))
        else:
            self.kill(DONE)


class Thread(transport.BatchConsumerThread):
    """The consumer's thread as a strand: its event loop is the simulation's one."""

    def __init__(self, consumer: Any, loop: Any, beacon: Any) -> None:
        super().__init__(consumer, loop=loop, thread_loop=loop, Worker=_InStrand, beacon=beacon)

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._consumer_timeout = _LOOK_S  # noqa: SLF001
        return consumer

    def on_crash(self, msg: str, *fmt: Any, **kwargs: Any) -> None:
        """Faust prints it to standard error; here whoever waits for the app is told."""

    async def _gather_remaining_tasks(self) -> None:
        """The loop is everybody's."""


class _InStrand(mode.threads.WorkerThread):
    """Runs the service's thread function as a task."""

    def __init__(self, service: Any) -> None:
        self.service = service
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        context = CURRENT.get().thread().context()
        self._task = self.service.parent_loop.create_task(self.service._serve(), context=context)  # noqa: SLF001

    def stop(self) -> None:
        """It ended with its service."""
