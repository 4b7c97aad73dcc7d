"""A process that cannot stay up."""

from collections.abc import Callable
from signal import SIGKILL

from devstack import processes
from tests.faults.background import Background

_LOOK_SECONDS = 0.02


class KeptDown(Background):
    """Kills the process that `pid` names, with its children, whenever there is one, from `__enter__` to `__exit__`."""

    def __init__(self, pid: Callable[[], int | None]) -> None:
        super().__init__("killer")
        self._pid = pid

    def _run(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            pid = self._pid()
            if pid is not None:
                processes.signal_all([pid, *processes.children(pid)], SIGKILL)
