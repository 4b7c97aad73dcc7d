"""Telling Kafka how far a group is, in the background and at most once a second.

For the aggregates group this serves lag tools alone: its place is what PostgreSQL stores.
"""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from aiokafka.errors import KafkaError

from broker.errors import BrokerUnavailable
from pipeline import log
from runtime import logging, tracebacks

_log = logging.get_logger(__name__)


class Commits(Protocol):
    """Where the offsets go."""

    async def commit(self, ends: Mapping[int, int]) -> None:
        """Raises `aiokafka.errors.KafkaError`."""


class Committer:
    """Keeps the newest offsets that it is told and passes them on, as long as the topic is the one they belong to."""

    def __init__(self, kafka: Commits, topic: log.Log, interval_s: float = 1.0) -> None:
        self._kafka, self._topic, self._interval_s = kafka, topic, interval_s
        self._waiting: dict[int, int] = {}
        self._places = 0

    def note(self, ends: Mapping[int, int]) -> None:
        """These partitions are done below these offsets. Of none: all that was noted is of a place that was left.

        The partitions may come back when others have told Kafka more.
        """
        if not ends:
            self._waiting, self._places = {}, self._places + 1
        self._waiting |= ends

    async def run(self) -> None:
        """Commit once an interval, for ever. A failure is logged and made good by the next commit."""
        while True:
            await asyncio.sleep(self._interval_s)
            await self.commit()

    async def commit(self) -> None:
        """Commit what waits. Raises `errors.TopicReplaced`: in a topic made anew old offsets would skip its records."""
        if not self._waiting:
            return
        try:
            await self._topic.verify()
            await self._tell()
        except (KafkaError, BrokerUnavailable) as error:
            _log.info("Kafka was not told, the next time it will be", error=tracebacks.words(error))

    async def _tell(self) -> None:
        # Taken only now: a new place may have been noted while Kafka was away.
        ends, self._waiting, place = self._waiting, {}, self._places
        if not ends:
            return
        try:
            await self._kafka.commit(ends)
        except KafkaError:
            if place == self._places:
                self._waiting = ends | self._waiting
            raise
