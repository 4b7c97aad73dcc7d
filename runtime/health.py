"""What a process depends on, and whether it is ready.

A process becomes ready when every dependency has answered once; afterwards it is unready only while a *vital* one is
down. A balancer must not drop every gateway because PostgreSQL fails over.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import msgspec


class State(StrEnum):
    """What the last look at a dependency found."""

    UNKNOWN = "unknown"
    UP = "up"
    DOWN = "down"


class Dependency(msgspec.Struct):
    """One dependency: `vital` ones must be up at all times, the others must have answered once since the start."""

    name: str
    vital: bool
    state: State = State.UNKNOWN
    answered_once: bool = False
    detail: str = ""


class Dependencies:
    """The dependencies of one process; reported to by whoever looks at them, read by `/readyz`."""

    def __init__(self, *, vital: Iterable[str] = (), others: Iterable[str] = ()) -> None:
        named = [Dependency(name, True) for name in vital] + [Dependency(name, False) for name in others]
        self._by_name = {dependency.name: dependency for dependency in named}
        self._stopping = False

    def up(self, name: str) -> None:
        """The dependency answered."""
        dependency = self._by_name[name]
        dependency.state, dependency.answered_once, dependency.detail = State.UP, True, ""

    def down(self, name: str, detail: str) -> None:
        """The dependency did not answer; `detail` is a short reason without secrets."""
        dependency = self._by_name[name]
        dependency.state, dependency.detail = State.DOWN, detail

    def stop(self) -> None:
        """The process is going: never ready again."""
        self._stopping = True

    @property
    def ready(self) -> bool:
        """Whether traffic should be sent here."""
        return not self._stopping and all(_bears(dependency) for dependency in self._by_name.values())

    def report(self) -> dict[str, Any]:
        """The body of `/readyz`: `{"ready": bool, "stopping": bool, "dependencies": {name: {...}}}`."""
        return {
            "ready": self.ready,
            "stopping": self._stopping,
            "dependencies": {
                each.name: {"state": each.state.value, "vital": each.vital, "detail": each.detail}
                for each in self._by_name.values()
            },
        }


def _bears(dependency: Dependency) -> bool:
    return dependency.answered_once and (dependency.state is State.UP or not dependency.vital)
