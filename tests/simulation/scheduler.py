# ruff: noqa: SLF001 - an event loop is made of what asyncio keeps to itself
"""An event loop with a clock of its own, which one seed decides: the same seed, the same order, every time.

Code runs in strands. A strand is what one thread would run: it takes its callbacks in the order they came, as asyncio
promises. Which strand goes on next is the seed's choice, so everything that threads, processes and networks can do to
each other may happen, and nothing that they cannot. A strand may be held (a process that got SIGSTOP) and killed (one
that got SIGKILL): of a killed one not a single line runs any more, clean-up neither.
"""

import asyncio
import contextvars
import heapq
import random
from asyncio import events, futures, tasks
from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVarTuple

_Ts = TypeVarTuple("_Ts")
_Call = Callable[[*_Ts], object]
STEP_S: Final = 20e-6
"""What one callback takes: without it code that never waits would stop the clock."""


class Strand:
    """Callbacks that run one after the other. `name` is for people; `threads` are its process's other strands."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.threads: list[Strand] = []
        self.ready: deque[events.Handle] = deque()
        self.listed = False
        self.held = False
        self.dead = False

    def context(self) -> contextvars.Context:
        """For tasks that are to run in it."""
        context = contextvars.copy_context()
        context.run(CURRENT.set, self)
        return context

    def thread(self) -> "Strand":
        """A strand of the same process: held with it, killed with it."""
        made = Strand(f"{self.name}/{len(self.threads) + 1}")
        self.threads.append(made)
        return made


WORLD: Final = Strand("world")
"""Brokers, databases, networks and the test itself. The loop empties it at its start."""
CURRENT: contextvars.ContextVar[Strand] = contextvars.ContextVar("strand", default=WORLD)


class NothingLeft(Exception):
    """Nothing is ready and nothing is due: everything waits for ever."""


class _Ordered:
    """Hashes that do not depend on addresses: sets of futures are gone through in the same order every time."""

    made = 0


class _Future(futures.Future):  # type: ignore[type-arg]
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        _Ordered.made += 1
        self._number = _Ordered.made

    def __hash__(self) -> int:
        return self._number


class _Task(tasks.Task):  # type: ignore[type-arg]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _Ordered.made += 1
        self._number = _Ordered.made
        super().__init__(*args, **kwargs)
        self._log_destroy_pending = False

    def __hash__(self) -> int:
        return self._number


class Scheduler(asyncio.BaseEventLoop):
    """`steps` callbacks were run so far. After each, `on_step` is called.

    `troubles` are what asyncio's exception handler was told: {"message", "exception", ...} of callbacks and tasks whose
    error nobody took.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = random.Random(f"{seed}/scheduler")  # noqa: S311 - to be repeatable is the point
        self._now = 0.0
        self._timers: list[tuple[float, int, events.TimerHandle, Strand]] = []
        self._runnable: list[Strand] = []
        self._numbered = 0
        self.steps = 0
        self.on_step: Callable[[], None] = lambda: None
        self.troubles: list[dict[str, Any]] = []
        WORLD.ready.clear()
        WORLD.listed = False
        _Ordered.made = 0
        self.set_exception_handler(lambda _loop, context: self.troubles.append(context))

    def time(self) -> float:
        return self._now

    def create_future(self) -> Any:
        return _Future(loop=self)

    def create_task(self, coro: Any, *, name: object = None, context: contextvars.Context | None = None) -> Any:
        return _Task(coro, loop=self, name=str(name or "task"), context=context)

    # -- strands -------------------------------------------------------------------------------------------------------

    def hold(self, strand: Strand) -> None:
        """Nothing of its process runs until it is let go."""
        for each in (strand, *strand.threads):
            each.held = True

    def let_go(self, strand: Strand) -> None:
        """Go on where it was held."""
        for each in (strand, *strand.threads):
            each.held = False
            self._list(each)

    def kill(self, strand: Strand) -> None:
        """Nothing of its process ever runs again."""
        for each in (strand, *strand.threads):
            each.dead = True
            each.ready.clear()

    def _list(self, strand: Strand) -> None:
        if strand.ready and not strand.listed and not strand.held:
            strand.listed = True
            self._runnable.append(strand)

    # -- what BaseEventLoop asks for -----------------------------------------------------------------------------------

    def call_soon(
        self, callback: _Call[*_Ts], *args: *_Ts, context: contextvars.Context | None = None
    ) -> events.Handle:
        handle = events.Handle(callback, args, self, context)
        self._add(handle, handle._context.get(CURRENT, WORLD))  # type: ignore[attr-defined]
        return handle

    call_soon_threadsafe = call_soon

    def call_at(
        self,
        when: float,
        callback: _Call[*_Ts],
        *args: *_Ts,
        context: contextvars.Context | None = None,
    ) -> events.TimerHandle:
        handle = events.TimerHandle(when, callback, args, self, context)
        self._numbered += 1
        strand = handle._context.get(CURRENT, WORLD)  # type: ignore[attr-defined]
        heapq.heappush(self._timers, (when, self._numbered, handle, strand))
        handle._scheduled = True  # type: ignore[attr-defined]
        return handle

    def call_later(
        self,
        delay: float,
        callback: _Call[*_Ts],
        *args: *_Ts,
        context: contextvars.Context | None = None,
    ) -> events.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: events.TimerHandle) -> None:
        """It stays in the heap until it is due."""

    def _add(self, handle: events.Handle, strand: Strand) -> None:
        if not strand.dead:
            strand.ready.append(handle)
            if not strand.listed and not strand.held:
                strand.listed = True
                self._runnable.append(strand)

    def _run_once(self) -> None:
        """Callback after callback, until the loop is told to stop."""
        runnable, choose = self._runnable, self._random.random
        while not self._stopping:  # type: ignore[attr-defined]
            self._pass_time()
            if not runnable:
                continue
            at = int(choose() * len(runnable)) if len(runnable) > 1 else 0
            strand = runnable[at]
            if strand.held or not strand.ready:
                strand.listed = False
                runnable[at] = runnable[-1]
                runnable.pop()
                continue
            handle = strand.ready.popleft()
            if not handle._cancelled:
                self.steps += 1
                self._now += STEP_S
                handle._run()
                self.on_step()

    def _pass_time(self) -> None:
        """What is due becomes ready; if nothing else is ready, the next that will be due."""
        timers = self._timers
        if not self._runnable:
            while timers and timers[0][2]._cancelled:
                heapq.heappop(timers)
            if not timers:
                raise NothingLeft
            self._now = max(self._now, timers[0][0])
        while timers and timers[0][0] <= self._now:
            _, _, handle, strand = heapq.heappop(timers)
            if not handle._cancelled:
                self._add(handle, strand)

    def _process_events(self, event_list: Any) -> None:
        pass

    def _write_to_self(self) -> None:
        pass
