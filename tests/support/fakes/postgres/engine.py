"""What the backends of one server share: tables, locks and a pace."""

from collections.abc import Callable, Collection

from tests.support.fakes.pace import Pace
from tests.support.fakes.postgres.locks import Locks
from tests.support.fakes.postgres.tables import Changes, Tables


class Engine:
    """`disk_full` and `read_only` are what they say, from the next statement on."""

    def __init__(
        self, hours: Collection[int] | None, tombstones: Collection[int], pause: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.tables = Tables(hours, tombstones)
        self.locks = Locks()
        self.disk_full = False
        self.read_only = False
        self.commits: list[Changes] = []
        self._initial = (hours, tombstones)
        self.pace = Pace(pause)

    def commit(self, changes: Changes) -> None:
        """From this moment on everybody sees it."""
        if changes:
            self.commits.append(changes)
            self.tables.apply(changes)

    def lose(self, commits: int) -> None:
        """Back to the state before the last so many commits."""
        if commits:
            self.commits = self.commits[:-commits]
            self.tables = Tables(*self._initial).apply_all(self.commits)
