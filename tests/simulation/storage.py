"""PostgreSQL of the simulation, below psycopg: what workers write through, and what is in it at the end."""

import random

from pipeline import hours, letters
from pipeline.settings import AggregatesSettings
from stores import dead_letters, flush, offsets, primary
from stores.copying import Item
from tests.simulation.topic import GONE_HOUR, PROFILES, Place
from tests.support.fakes.postgres import FakePostgres


class Storage:
    """One server. A client is known to it by its process's name."""

    def __init__(self, chosen: random.Random, slowest_s: float) -> None:
        self.lost_commits = 0
        self.lost_letters: set[Place] = set()
        self.pause = lambda: chosen.random() * slowest_s
        self.server = FakePostgres(hours=[], tombstones=[GONE_HOUR], pause=self.pause)

    def flushes(self, client: str, of: offsets.Consumer, patience_s: float) -> flush.Flushes:
        return flush.PostgresFlushes(client, of, patience_s, self._connecting(client))

    def hours(self, client: str, settings: AggregatesSettings) -> hours.PostgresHours:
        return hours.PostgresHours(settings, self._connecting(client))

    def letters_of(self, client: str, of: offsets.Consumer, patience_s: float) -> letters.PostgresLetters:
        return letters.PostgresLetters(client, of, patience_s, self._connecting(client))

    def _connecting(self, client: str) -> primary.Connect:
        return lambda _conninfo: self.server.connect(client)

    def fail_over(self, lost: int) -> None:
        """To a server that never saw the last so many commits.

        Dead letters of the profiles group that go with them are gone for good: its place is in Kafka, behind them.
        """
        before = self.letters(PROFILES)
        self.server.fail_over(lost)
        self.lost_commits += lost
        self.lost_letters |= before.keys() - self.letters(PROFILES).keys()

    # -- what is committed ---------------------------------------------------------------------------------------------

    def stored(self, of: offsets.Consumer) -> dict[int, int]:
        """{partition: next offset to count} of a consumer."""
        return {
            key.partition: offset
            for key, offset in self.server.tables.offsets.items()
            if (key.group, key.topic_id) == (of.group, of.topic_id)
        }

    @property
    def sums(self) -> dict[Item, tuple[int, int]]:
        return self.server.tables.sums

    @property
    def totals(self) -> dict[tuple[int, str, int], tuple[int, int]]:
        return self.server.tables.totals

    def letters(self, group: str) -> dict[Place, dead_letters.Letter]:
        """{(partition, offset): dead letter} of a consumer group."""
        found = self.server.tables.letters
        return {(key.partition, key.offset): letter for key, letter in found.items() if key.group == group}
