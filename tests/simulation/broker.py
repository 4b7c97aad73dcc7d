"""A Kafka broker in memory: what it answers to each request that an aiokafka consumer sends.

Requests and answers are aiokafka's own structures, in one version each; all of aiokafka above its connections is real.
"""

import asyncio
import contextvars
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from aiokafka import errors
from aiokafka.protocol import commit, coordination, fetch, group, metadata, offset

from tests.simulation.coordinator import Group
from tests.simulation.records import Partition

NODE: Final = 1
VERSIONS: Final = {
    each.API_KEY: (each.API_VERSION, each.API_VERSION)
    for each in (
        fetch.FetchRequest_v4,
        offset.OffsetRequest_v1,
        metadata.MetadataRequest_v5,
        commit.OffsetCommitRequest_v3,
        commit.OffsetFetchRequest_v3,
        coordination.FindCoordinatorRequest_v1,
        group.JoinGroupRequest_v5,
        group.HeartbeatRequest_v1,
        group.LeaveGroupRequest_v1,
        group.SyncGroupRequest_v3,
    )
}
_EARLIEST = -2
_LATEST = -1


class Broker:
    """One node that leads every partition of every topic and coordinates every group."""

    def __init__(self, loop: asyncio.AbstractEventLoop, topics: dict[str, int], first_wait_s: float = 0.0) -> None:
        """`topics` are {name: partitions}."""
        self._loop, self._first_wait_s = loop, first_wait_s
        self.topics = {name: [Partition() for _ in range(count)] for name, count in topics.items()}
        self.groups: dict[str, Group] = {}
        self._waiting: dict[int, Callable[[], None]] = {}
        self._fetches = 0
        self._own = contextvars.copy_context()

    def group(self, name: str) -> Group:
        if name not in self.groups:
            self.groups[name] = Group(self._loop, name, self._first_wait_s)
        return self.groups[name]

    def append(self, topic: str, partition: int, records: list[tuple[bytes | None, bytes | None]]) -> int:
        """A batch at the end of a partition; fetches that wait for it are answered. Gives the first offset."""
        first = self.topics[topic][partition].append(records)
        for look in list(self._waiting.values()):
            look()
        return first

    def handle(self, request: Any, client: str, answer: Callable[[Any], None]) -> None:
        """Answer one request, at once or later."""
        respond = request.RESPONSE_TYPE
        match request:
            case fetch.FetchRequest_v4():
                self._fetch(request, lambda topics: answer(respond(0, topics)))
            case offset.OffsetRequest_v1():
                answer(respond(list(self._offsets(request))))
            case metadata.MetadataRequest_v5():
                told = [self._described(name) for name in self._asked_for(request)]
                answer(respond(0, [(NODE, "simulated", 9092, None)], "simulated", NODE, told))
            case coordination.FindCoordinatorRequest_v1():
                answer(respond(0, 0, "", NODE, "simulated", 9092))
            case commit.OffsetFetchRequest_v3():
                answer(respond(0, list(self._committed(request)), 0))
            case commit.OffsetCommitRequest_v3():
                self.group(request.consumer_group).commit(request, lambda topics: answer(respond(0, topics)))
            case group.JoinGroupRequest_v5():
                self.group(request.group).join(request, client, lambda *told: answer(respond(0, *told)))
            case group.SyncGroupRequest_v3():
                self.group(request.group).sync(request, lambda *told: answer(respond(0, *told)))
            case group.HeartbeatRequest_v1():
                self.group(request.group).heartbeat(request, lambda code: answer(respond(0, code)))
            case group.LeaveGroupRequest_v1():
                self.group(request.group).leave(request, lambda code: answer(respond(0, code)))
            case _:
                message = f"the broker in memory knows no {request!r}"
                raise NotImplementedError(message)

    # -- answers -------------------------------------------------------------------------------------------------------

    def _fetch(self, request: Any, answer: Callable[[Any], None]) -> None:
        """Answered when there is enough, or an error, or the time that the consumer waits is over."""
        self._fetches += 1
        number = self._fetches

        def look(late: bool = False) -> None:
            topics, size, failed = self._read(request)
            if late or failed or size >= request.min_bytes:
                self._waiting.pop(number, None)
                timer.cancel()
                answer(topics)

        timer = self._loop.call_later(request.max_wait_time / 1000, look, True, context=self._own)
        self._waiting[number] = look
        look()

    def _read(self, request: Any) -> tuple[list[Any], int, bool]:
        topics, size, failed = [], 0, False
        for topic, asked in request.topics:
            found: list[tuple[Any, ...]] = []
            for number, at, at_most in asked:
                partition = self.topics[topic][number]
                code = 0 if partition.start <= at <= partition.end else errors.OffsetOutOfRangeError.errno
                encoded = b"" if code else partition.read(at, at_most)
                found.append((number, code, partition.end, partition.end, [], encoded))
                size, failed = size + len(encoded), failed or bool(code)
            topics.append((topic, found))
        return topics, size, failed

    def _offsets(self, request: Any) -> Iterator[tuple[str, list[Any]]]:
        for topic, asked in request.topics:
            partitions = self.topics[topic]
            found = {_EARLIEST: lambda each: each.start, _LATEST: lambda each: each.end}
            yield topic, [(number, 0, -1, found[at](partitions[number])) for number, at in asked]

    def _asked_for(self, request: Any) -> Iterable[str]:
        """All topics where none are named; a list of no topics, with which a client begins, asks for none."""
        return self.topics if request.topics is None else request.topics

    def _described(self, name: str) -> tuple[Any, ...]:
        if name not in self.topics:
            return (errors.UnknownTopicOrPartitionError.errno, name, False, [])
        return (0, name, False, [(0, number, NODE, [NODE], [NODE], []) for number in range(len(self.topics[name]))])

    def _committed(self, request: Any) -> Iterator[tuple[str, list[Any]]]:
        stored = self.group(request.consumer_group).offsets
        for topic, partitions in request.topics:
            yield topic, [(number, *stored.get((topic, number), (-1, "")), 0) for number in partitions]
