"""Something that goes on beside the rest of a scenario, in a thread of its own."""

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class BrokeOff(Exception):
    """What was to go on until it was ended did not; its cause is why."""


class Background(ABC):
    """Runs from `__enter__` to `__exit__`, which raises `BrokeOff` if it did not run for all that time."""

    def __init__(self, name: str) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name=name, daemon=True)
        self._error: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._end()
        except Exception as late:
            if error is None:
                raise
            error.add_note(f"{self._thread.name}: {late!r}")  # what came first is what is to be seen

    @abstractmethod
    def _run(self) -> None:
        """What goes on; it returns soon after `_over` is set."""

    def _end(self) -> None:
        """Set `_over` and wait until nothing goes on any more. Raises BrokeOff."""
        self._over.set()
        self._await()

    def _await(self, seconds: float | None = None) -> None:
        """Wait until nothing goes on any more, for so long at most. Raises BrokeOff."""
        self._thread.join(seconds)
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            message = f"{self._thread.name}: {self._error!r}"
            raise BrokeOff(message) from self._error

    def _go_on(self) -> None:
        try:
            self._run()
        except Exception as error:  # it would die with the thread
            self._error = error
