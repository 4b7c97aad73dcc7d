"""`GET /queue/{namespace}/{topic}/backlog`: what each consumer group has not processed yet."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import msgspec
from fastapi import Response

from broker.backlog import Backlog
from gateway import errors


class ReadBacklog(Protocol):
    """Asks Kafka; blocks. `broker.backlog.read` with its client and groups given."""

    def __call__(self, topic: str) -> Sequence[Backlog]: ...


class BacklogEndpoint:
    """The endpoint: one namespace, one topic, both named by the settings."""

    def __init__(self, namespace: str, topic: str, read: ReadBacklog) -> None:
        self._namespace, self._topic, self._read = namespace, topic, read

    async def answer(self, namespace: str, topic: str) -> Response:
        """Every group and partition, and the total. 404 for names that are not served, 503 without Kafka."""
        if (namespace, topic) != (self._namespace, self._topic):
            message = "there is no queue of this namespace and topic"
            raise errors.NotFound(message)
        found = await asyncio.to_thread(self._read, topic)
        body = {
            "total": sum(each.count for each in found),
            "backlog": [
                {"partition": str(each.partition), "subscription": each.subscription, "count": each.count}
                for each in found
            ],
        }
        return Response(msgspec.json.encode(body), media_type="application/json")
