"""Something that goes on beside the rest of a scenario, in a thread of its own."""

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Background(ABC):
    """Runs from `__enter__` to `__exit__`."""

    def __init__(self, name: str) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    @abstractmethod
    def _run(self) -> None:
        """What goes on; it returns soon after `_over` is set."""

    def _end(self) -> None:
        """Set `_over` and wait until nothing goes on any more."""
        self._over.set()
        self._thread.join()
