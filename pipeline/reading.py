"""Reads a topic beside its consumer groups: no group is joined, nothing is committed, no worker notices."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Self

import aiokafka.errors
from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline import batches, errors
from pipeline.settings import WorkerSettings
from runtime import logging

_log = logging.get_logger(__name__)
_POLL_MS: Final = 1_000
_PROGRESS_S: Final = 5.0
_SILENT_S: Final = 60.0


class TopicReader:
    """Reads ranges of offsets; to be entered before use. Order is kept within a partition."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._topic = settings.kafka_topic
        self._consumer: Any = None
        self._options: dict[str, Any] = {
            "bootstrap_servers": settings.kafka_hosts.split(","),
            "group_id": None,
            "enable_auto_commit": False,
            # Records that are gone must be noticed, not stepped over.
            "auto_offset_reset": "none",
            "max_poll_records": settings.max_poll_records,
            "max_partition_fetch_bytes": settings.fetch_bytes,
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    async def read(self, starts: Mapping[int, int], ends: Mapping[int, int]) -> AsyncIterator[batches.Batch]:
        """All records from `starts` up to, and without, `ends`, both `{partition: offset}`.

        Raises `errors.OperationRefused` where some of them are gone from the log or do not arrive.
        """
        left = {TopicPartition(self._topic, partition): end for partition, end in ends.items()}
        left = {tp: end for tp, end in left.items() if starts[tp.partition] < end}
        progress = _Progress(sum(end - starts[tp.partition] for tp, end in left.items()))
        if left:
            await self._place({tp: starts[tp.partition] for tp in left})
        while left:
            fetched = await self._fetched(left)
            for tp, records in fetched.items():
                wanted = _below(records, left[tp])
                progress.note(len(wanted))
                if wanted:
                    yield batches.Batch(tp.partition, wanted)
            await self._drop_done(left)
            progress.refuse_silence()

    async def _place(self, starts: Mapping[TopicPartition, int]) -> None:
        """Started only here: a consumer stopped before it was ever assigned anything raises (aiokafka 0.14)."""
        if self._consumer is None:
            self._consumer = AIOKafkaConsumer(**self._options)
            await self._consumer.start()
        self._consumer.assign(list(starts))
        for tp, offset in starts.items():
            self._consumer.seek(tp, offset)

    async def _fetched(self, left: Mapping[TopicPartition, int]) -> dict[TopicPartition, list[Any]]:
        try:
            found: dict[TopicPartition, list[Any]] = await self._consumer.getmany(*left, timeout_ms=_POLL_MS)
        except aiokafka.errors.OffsetOutOfRangeError as error:
            message = f"the log lost records while they were read (retention, most likely): {error}. Run this again"
            raise errors.OperationRefused(message) from error
        return found

    async def _drop_done(self, left: dict[TopicPartition, int]) -> None:
        """By the consumer's position, not by the last record: markers of transactions may lie behind it."""
        for tp, end in list(left.items()):
            if await self._consumer.position(tp) >= end:
                del left[tp]
                self._consumer.pause(tp)


class _Progress:
    """Logs how far a read is, every few seconds."""

    def __init__(self, wanted: int) -> None:
        self._wanted, self._read = wanted, 0
        self._heard = self._said = _now()

    def note(self, count: int) -> None:
        """So many more records were read."""
        self._read += count
        self._heard = _now()
        if self._heard - self._said >= _PROGRESS_S:
            self._said = self._heard
            _log.info("reading the topic", records=self._read, wanted=self._wanted)

    def refuse_silence(self) -> None:
        """Raises `errors.OperationRefused` when nothing has come for too long."""
        if _now() - self._heard > _SILENT_S:
            message = (
                f"no record has come for {_SILENT_S:.0f} s, {self._wanted - self._read} are missing: is a partition "
                "without a leader? Run this again when Kafka is well"
            )
            raise errors.OperationRefused(message)


def _below(records: list[Any], end: int) -> list[Any]:
    if records[-1].offset < end:
        return records
    return [record for record in records if record.offset < end]


def _now() -> float:
    return asyncio.get_running_loop().time()
