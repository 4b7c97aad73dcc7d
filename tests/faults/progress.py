"""How far a group is, looked at many times a second: afterwards one can tell when events were counted again."""

import time
from collections.abc import Mapping
from typing import Protocol

import psycopg

from broker import backlog, connections, errors
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.faults import stored
from tests.faults.background import Background

_LOOK_SECONDS = 0.05
_END_SECONDS = 5.0
_LATE_LOOKS = 2

Offsets = Mapping[int, int]
"""`{partition: next offset}`."""


class Look(Protocol):
    """How far a group is."""

    def __call__(self) -> Offsets | None:
        """None where it cannot be known now."""

    def close(self) -> None:
        """Let go of connections."""


class Progress(Background):
    """Looks from `__enter__` to `__exit__`."""

    def __init__(self, look: Look, every_s: float = _LOOK_SECONDS) -> None:
        super().__init__("progress")
        self._look, self._every_s = look, every_s
        self._seen: list[tuple[float, Offsets]] = [(time.monotonic(), {})]

    @property
    def latest(self) -> Offsets:
        """What was seen last."""
        return self._seen[-1][1]

    def total(self) -> int:
        """All partitions of `latest` together."""
        return sum(self.latest.values())

    def moved_all(self, since: Offsets) -> bool:
        """Whether every partition of `since` is further than it was then."""
        return _is_beyond(self.latest, since)

    def recovery_s(self, moment: float) -> float | None:
        """Seconds from `moment` (monotonic) until every partition had moved on; None if that was not seen.

        It says something only where events arrive in every partition all the time. What was under way at `moment` is
        seen a look later.
        """
        begins = moment + _LATE_LOOKS * self._every_s
        before = [offsets for at, offsets in self._seen if at <= begins]
        if not before:
            return None
        return next(
            (at - moment for at, offsets in self._seen if at > begins and _is_beyond(offsets, before[-1])), None
        )

    def _run(self) -> None:
        while not self._over.wait(self._every_s):
            offsets = self._look()
            if offsets is not None and offsets != self.latest:
                self._seen.append((time.monotonic(), offsets))

    def _end(self) -> None:
        self._over.set()
        try:
            self._await(_END_SECONDS)  # it may hang in a store that is frozen
        finally:
            self._look.close()


class Counted:
    """Looks at how far the aggregates workers have counted one topic: what PostgreSQL stores with the sums."""

    def __init__(self, database: DatabaseSettings) -> None:
        self._database = database
        self._conn: psycopg.Connection | None = None

    def __call__(self) -> Offsets | None:
        try:
            if self._conn is None or self._conn.closed:
                self._conn = psycopg.connect(self._database.conninfo(), autocommit=True)
            return stored.offsets(self._conn)
        except psycopg.Error:
            return None

    def close(self) -> None:
        if self._conn is not None:
            self._conn.close()


class Committed:
    """Looks at what Kafka was told of a consumer group, at most once a second: the profiles workers' place."""

    def __init__(self, topic: KafkaSettings, group: str) -> None:
        self._admin = connections.Admin(topic.kafka_hosts)
        self._group, self._topic = group, topic.kafka_topic

    def __call__(self) -> Offsets | None:
        try:
            return backlog.committed(self._admin, self._group, self._topic, 2.0)
        except errors.BrokerError:
            return None

    def close(self) -> None:
        """The client goes with the object."""


def _is_beyond(offsets: Offsets, since: Offsets) -> bool:
    return bool(offsets) and all(offsets.get(partition, -1) > offset for partition, offset in since.items())
