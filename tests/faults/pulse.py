"""Which workers of a crew are counting at this moment: what is killed while it starts has lost nothing."""

import time

from bench import workers
from tests.faults.background import Background
from tests.faults.crew import Crew

_LOOK_SECONDS = 0.15
_FRESH_SECONDS = 1.0
RECORDS = "allezone_pipeline_records_total"


class Pulse(Background):
    """Looks at every member several times a second, from `__enter__` to `__exit__`."""

    def __init__(self, crew: Crew) -> None:
        super().__init__("pulse")
        self._crew = crew
        self._seen: dict[str, tuple[int, float]] = {}
        self._beats: dict[str, tuple[int, float]] = {}
        self._asleep: set[str] = set()

    def counting(self) -> list[str]:
        """Those that have counted within the last second, since their present start; the latest first."""
        since = time.monotonic() - _FRESH_SECONDS
        beats = [(at, name) for name, (start, at) in list(self._beats.items()) if self._is_same(name, start)]
        return [name for at, name in sorted(beats, reverse=True) if at > since]

    def asleep(self, name: str, *, is_so: bool) -> None:
        """One that is stopped is not asked: it would not answer."""
        (self._asleep.add if is_so else self._asleep.discard)(name)

    def _is_same(self, name: str, start: int) -> bool:
        return self._crew.starts(name) == start and self._crew.application(name).running

    def _run(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            for name in set(self._crew.names) - self._asleep:
                self._look(name)

    def _look(self, name: str) -> None:
        start = self._crew.starts(name)
        records = workers.metric(self._crew.application(name), RECORDS)
        if not records:
            return
        before = self._seen.get(name)
        if before is None or before[0] != start or records > before[1]:
            self._beats[name] = (start, time.monotonic())
        self._seen[name] = (start, records)
