"""The Faust application that both workers are: one topic, one agent, batches in.

Each setting here has its reason; the design's measurements are in docs/design.md.
"""

import tempfile
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final, cast
from uuid import UUID

import faust
from faust.types import TP
from mode import CrashingSupervisor

from pipeline import batches, transport
from pipeline.settings import WorkerSettings

Take = Callable[[batches.Batch], Awaitable[None]]
_NEVER_S: Final = 365 * 24 * 3600.0


def make(settings: WorkerSettings, group: str, seeker: transport.Seeker) -> Any:
    """An app of consumer group `group`; `seeker` says where each partition goes on."""
    temporary = None if settings.data_dir else tempfile.TemporaryDirectory(prefix=f"allezone-{group}-")
    app: Any = faust.App(
        group,
        broker=[f"kafka://{host}" for host in settings.kafka_hosts.split(",")],
        datadir=temporary.name if temporary else settings.data_dir,
        store="memory://",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        # An exception in the agent ends the process: the default restarts the agent, which goes on with the next event.
        agent_supervisor=CrashingSupervisor,
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=settings.max_poll_records,
        consumer_max_fetch_size=settings.fetch_bytes,
        stream_buffer_maxsize=settings.buffered_batches,
        # A rebalance must not wait for messages to be acknowledged: with one message for many offsets none ever is.
        stream_wait_empty=False,
        broker_commit_interval=_NEVER_S,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 4,
        broker_request_timeout=settings.request_timeout_s,
        broker_max_poll_interval=settings.max_poll_interval_s,
        loghandlers=[],
    )
    fetching = transport.Fetching(settings.fetch_least_bytes, settings.fetch_wait_s)
    app.temporary = temporary  # removed with the app, at a clean end
    app.transport = transport.BatchTransport(app.conf.broker_consumer, app, seeker=seeker, fetching=fetching)
    return app


def add_agent(app: Any, topic: str, take: Take) -> None:
    """Hand every batch of `topic` to `take`, one after the other."""
    # acks=False: Faust's own bookkeeping of offsets would grow by an int an event and commit once a batch and interval.
    source = app.topic(topic, schema=_Unchanged(), acks=False)

    @app.agent(source, name=f"{app.conf.id}.take")  # type: ignore[untyped-decorator]
    async def agent(stream: Any) -> None:
        async for batch in stream:
            await take(batch)


class Consuming:
    """The app's consumer by partition number, for one topic.

    The topic's id stands beside each offset that Kafka is told: in a topic made anew, old offsets would skip records.
    """

    def __init__(self, app: Any, topic: str, topic_id: UUID) -> None:
        self._app, self._topic, self._note = app, topic, str(topic_id)

    async def seek(self, starts: Mapping[int, int]) -> None:
        """Fetch on from these offsets."""
        for partition, offset in starts.items():
            await self._app.consumer.seek(TP(self._topic, partition), offset)

    async def commit(self, ends: Mapping[int, int]) -> None:
        """Tell Kafka how far each partition is done. Raises `aiokafka.errors.KafkaError`."""
        offsets = {TP(self._topic, partition): end for partition, end in ends.items()}
        await self._app.consumer.tell_kafka(offsets, self._note)

    def member_id(self) -> str:
        """What Kafka calls this member of the group; empty before it has joined."""
        member: str = self._app.consumer.member_id
        return member

    async def committed(self, partitions: Collection[int]) -> dict[int, int]:
        """What Kafka was told of these partitions of this very topic. Raises `broker.errors.BrokerUnavailable`."""
        told = await self._app.consumer.told_kafka({TP(self._topic, partition) for partition in partitions})
        return {tp.partition: offset for tp, (offset, note) in told.items() if note == self._note}


class _Unchanged(faust.Schema[None, batches.Batch]):
    """Messages carry batches already: there is nothing to decode."""

    def loads_key(self, app: Any, message: Any, **_: Any) -> None:
        return None

    def loads_value(self, app: Any, message: Any, **_: Any) -> batches.Batch:
        return cast(batches.Batch, message.value)
