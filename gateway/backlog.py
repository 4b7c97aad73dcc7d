"""`GET /queue/{namespace}/{topic}/backlog`: what each consumer group has not processed yet."""

import asyncio
import concurrent.futures
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec
from fastapi import Response

from broker.backlog import Backlog
from gateway import errors, patience

_THREADS: Final = 2
_TIMEOUT_S: Final = 5.0


class ReadBacklog(Protocol):
    """Asks Kafka; blocks. `broker.backlog.read` with its client and groups given."""

    def __call__(self, topic: str) -> Sequence[Backlog]: ...


class BacklogEndpoint:
    """The endpoint: one namespace, one topic, both named by the settings."""

    def __init__(self, namespace: str, topic: str, read: ReadBacklog, timeout_s: float = _TIMEOUT_S) -> None:
        self._namespace, self._topic, self._read = namespace, topic, read
        self._timeout_s = timeout_s
        # Threads of its own: while Kafka hangs, these do, and the readiness probe must not wait for them.
        self._threads = concurrent.futures.ThreadPoolExecutor(_THREADS, "backlog")

    async def answer(self, namespace: str, topic: str) -> Response:
        """Every group and partition, and the total. 404 for names that are not served, 503 without Kafka in time."""
        if (namespace, topic) != (self._namespace, self._topic):
            message = "there is no queue of this namespace and topic"
            raise errors.NotFound(message)
        found = await patience.within(self._timeout_s, self._ask(topic))
        body = {
            "total": sum(each.count for each in found),
            "backlog": [
                {"partition": str(each.partition), "subscription": each.subscription, "count": each.count}
                for each in found
            ],
        }
        return Response(msgspec.json.encode(body), media_type="application/json")

    async def _ask(self, topic: str) -> Sequence[Backlog]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, topic)
