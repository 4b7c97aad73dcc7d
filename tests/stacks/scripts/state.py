"""The swarm that the stand-in for `docker` plays."""

from __future__ import annotations

from typing import Any

import msgspec


class Node(msgspec.Struct):
    """A machine. A node that is down keeps its labels, as in a real swarm."""

    id: str
    hostname: str
    labels: dict[str, str] = {}
    state: str = "ready"
    availability: str = "active"


class Service(msgspec.Struct):
    """`tasks` are those that should run: an id, a state and the definition that each was started with."""

    definition: dict[str, Any]
    tasks: list[Task]
    update: str = "none"
    steps: list[str] = []  # what is still to come, a step a look
    before: dict[str, Any] | None = None
    iteration: int = 0

    @property
    def is_job(self) -> bool:
        return self.mode.endswith("-job")

    @property
    def mode(self) -> str:
        return str(self.definition["deploy"].get("mode", "replicated"))

    @property
    def replicas(self) -> int:
        return int(self.definition["deploy"].get("replicas", 1))

    @property
    def place(self) -> str:
        """The label that it needs of a node, as `service=kafka1`; none is an empty text."""
        constraint = self.definition["deploy"].get("placement", {}).get("constraints", [""])[0]
        return str(constraint).removeprefix("node.labels.").replace(" == ", "=")


class Task(msgspec.Struct):
    """`desired` is `ready` while it waits for its start, as one that has failed does."""

    id: str
    state: str
    definition: dict[str, Any]
    iteration: int = 0
    desired: str = "running"
    error: str = ""


class Swarm(msgspec.Struct):
    """`fates` says what becomes of a service's next update or job: `rollback`, `pause`, `hang`, `fail`.

    `silences` says how many of the next calls of a command have no answer, as while managers elect a leader.
    `pushed` is what the registry has.
    `filled_in` is what Docker adds to the definition of a service and not to that of its tasks.
    `calls` is what was asked, `events` what happened, both in order.
    """

    nodes: list[Node] = []
    secrets: list[str] = []
    configs: dict[str, str] = {}
    services: dict[str, Service] = {}
    fates: dict[str, str] = {}
    silences: dict[str, int] = {}
    pushed: list[str] = []
    logs: dict[str, str] = {}
    filled_in: str = ""
    calls: list[list[str]] = []
    events: list[str] = []
    made: int = 0

    def new_id(self) -> str:
        self.made += 1
        return f"id{self.made}"
