"""The scheduler's clock in place of the computer's, for the libraries that read that one."""

import contextlib
import functools
import sys
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, Final

_READERS: Final = ("aiokafka", "faust", "mode", "pipeline", "stores")
_FUNCTIONS: Final = (time.monotonic, time.perf_counter, time.time)


class _Time(ModuleType):
    """The module `time`, with another clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__("time")
        self.monotonic = self.perf_counter = self.time = now

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


@contextlib.contextmanager
def reading(now: Callable[[], float]) -> Iterator[None]:
    """Modules that did `import time` or `from time import monotonic` read `now` meanwhile."""
    replaced = _Time(now)
    for module, name, value in _places():
        setattr(module, name, replaced if value is time else now)
    try:
        yield
    finally:
        for module, name, value in _places():
            setattr(module, name, value)


@functools.cache
def _places() -> list[tuple[ModuleType, str, Any]]:
    """Names of modules that are bound to a clock; all modules must be there before this is asked."""
    return [
        (module, name, value)
        for path, module in list(sys.modules.items())
        if path.partition(".")[0] in _READERS
        for name, value in list(vars(module).items())
        if value is time or any(value is function for function in _FUNCTIONS)
    ]
