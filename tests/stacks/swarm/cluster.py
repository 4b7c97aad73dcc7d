"""The swarm as its managers tell it, and its containers as their machines do."""

import json
import re
from dataclasses import dataclass

from tests.stacks.swarm import commands, machines, waiting

_REPLICAS = re.compile(r"^(\d+)/(\d+)(?: \((\d+)/(\d+) completed\))?")
_SERVICE = "com.docker.swarm.service.name"


@dataclass(frozen=True)
class Count:
    """Tasks of a service: those that run, healthy, and those wanted; of a job those that ended well."""

    there: int
    wanted: int

    @property
    def whole(self) -> bool:
        return self.there == self.wanted


@dataclass(frozen=True)
class Container:
    """A running container; `pid` is its first process as this machine sees it."""

    machine: int
    id: str
    service: str
    health: str
    pid: int


class Cluster:
    """Asked through a manager, the first machine if no other is named: it is never lost."""

    def __init__(self, there: machines.Machines, manager: int = 1) -> None:
        self._machines, self._manager = there, manager

    def counts(self, stack: str = "") -> dict[str, Count]:
        """By service. Raises commands.Failed."""
        listed = self._docker("service", "ls", "--format", "{{.Name}}\t{{.Replicas}}").splitlines()
        found = {name: count_of(replicas) for name, replicas in (line.split("\t") for line in listed)}
        return {name: count for name, count in found.items() if name.startswith(stack)}

    def wait_whole(self, seconds: float, stack: str = "") -> float:
        """Seconds until every service has all that it wants. Raises waiting.Late, with those that have not."""

        def whole() -> bool:
            found = self.counts(stack)
            return bool(found) and all(count.whole for count in found.values())

        return waiting.until(f"all of {stack or 'the services'} are there", whole, seconds, self._missing)

    def containers(self, service: str = "") -> list[Container]:
        """Those of services whose name begins so, on the machines that are there."""
        return [
            found
            for machine in self._machines.there
            for found in self._on(machine)
            if found.service.startswith(service)
        ]

    def kill(self, container: Container) -> None:
        """SIGKILL, to all that runs in it."""
        self._machines.docker(container.machine, "kill", "--signal", "KILL", container.id)

    def update_state(self, service: str) -> str:
        """`updating`, `completed`, `rollback_completed` and so on; empty where there was none."""
        told = json.loads(self._docker("service", "inspect", service))[0]
        return str((told.get("UpdateStatus") or {}).get("State", ""))

    def image(self, service: str) -> str:
        """The image that a service is to have."""
        told = json.loads(self._docker("service", "inspect", service))[0]
        return str(told["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"])

    def ready_nodes(self) -> int:
        """How many machines the managers see."""
        return self._docker("node", "ls", "--format", "{{.Status}}").splitlines().count("Ready")

    def _docker(self, *arguments: str) -> str:
        return self._machines.docker(self._manager, *arguments)

    def _missing(self) -> str:
        found = [f"{name} {count.there}/{count.wanted}" for name, count in self.counts().items() if not count.whole]
        return "missing: " + ", ".join(found)

    def _on(self, machine: int) -> list[Container]:
        ids = self._machines.docker(machine, "ps", "--quiet", "--no-trunc", "--filter", f"label={_SERVICE}").split()
        if not ids:
            return []
        try:
            told = json.loads(self._machines.docker(machine, "inspect", *ids))
        except commands.Failed:  # one of them has ended since
            return []
        return [
            Container(
                machine,
                each["Id"],
                each["Config"]["Labels"][_SERVICE],
                (each["State"].get("Health") or {}).get("Status", ""),
                each["State"]["Pid"],
            )
            for each in told
        ]


def count_of(replicas: str) -> Count:
    """Of the text in `docker service ls`."""
    matched = _REPLICAS.match(replicas)
    assert matched is not None, replicas
    there, wanted, completed, all_completed = matched.groups()
    if completed is not None:
        return Count(int(completed), int(all_completed))
    return Count(int(there), int(wanted))
