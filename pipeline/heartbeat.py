"""Ends a process whose event loop stands still.

Nothing inside that loop can, and Kafka is none the wiser: its heartbeats come from the consumer's own thread.
"""

import asyncio
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Final

from pipeline import ending, errors

LOOKS: Final = 10
"""In the time after which the loop is taken to stand. Looks are counted, not seconds: see pipeline/watchdog.py."""

THREAD: Final = "heartbeat"
_LINES: Final = 3


class Heartbeat:
    """Proof that an event loop turns, looked at by a thread."""

    def __init__(self, stands_after_s: float, end: Callable[[BaseException], None] = ending.end_process) -> None:
        self._look_s, self._end = stands_after_s / LOOKS, end
        self._beats = 0

    async def run(self) -> None:
        """Beat, for ever. The thread ends with this."""
        over = threading.Event()
        threading.Thread(target=self._watch, args=(threading.get_ident(), over), name=THREAD, daemon=True).start()
        try:
            while True:
                self._beats += 1
                await asyncio.sleep(self._look_s)
        finally:
            over.set()

    def _watch(self, loop_thread: int, over: threading.Event) -> None:
        seen, still = 0, 0
        while not over.wait(self._look_s):
            still = still + 1 if seen == self._beats else 0
            seen = self._beats
            if still > LOOKS:
                message = f"the event loop has stood still for {still * self._look_s:.0f} s, in {_place(loop_thread)}"
                self._end(errors.Stalled(message))
                return


def _place(thread: int) -> str:
    """The lines of code that a thread is in, the innermost last."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - its documented name
    lines = traceback.extract_stack(frame)[-_LINES:] if frame else []
    return " > ".join(f"{line.name} ({line.filename}:{line.lineno})" for line in lines)
