"""One Kafka node, started from plain jars: KRaft, broker and controller in one process."""

from __future__ import annotations

import string
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGTERM

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from devstack import errors, jars, paths, ports, processes, servers, tools

CONFIG = paths.SERVICES / "kafka"
CLUSTER_ID = "YWxsZXpvbmUtbG9jYWwhIQ"  # base64 of 16 bytes; any will do, as long as it stays


@dataclass(frozen=True)
class Node:
    """Where one node is. `id` is unique in the cluster."""

    id: int
    port: int
    controller_port: int
    host: str = ports.HOST

    @property
    def bootstrap(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def voter(self) -> str:
        return f"{self.id}@{self.host}:{self.controller_port}"


def free_node(number: int = 1) -> Node:
    """A node on free ports."""
    return Node(number, ports.reserve(), ports.reserve())


class KafkaServer(servers.Server):
    """One node with its data in `state`. `quorum` names every node of the cluster, this one included; alone by default.

    A node answers once a majority of its quorum runs: start() all of several nodes first, then wait_ready() on each.
    A `throwaway` node is killed with the process that started it, even while it is paused. With a `jmx_port` it serves
    its own figures there, at /metrics, by the agent and the list of figures that the stack's image has.
    """

    def __init__(
        self,
        state: Path,
        node: Node,
        *,
        quorum: Sequence[Node] = (),
        heap: str = "512m",
        throwaway: bool = False,
        jmx_port: int | None = None,
        log: Path | None = None,
    ) -> None:
        super().__init__("kafka", log or state / "kafka.log")
        self.node = node
        self.jmx_port = jmx_port
        self.bootstrap = node.bootstrap
        self._state = state
        self._quorum = tuple(quorum) or (node,)
        self._heap = heap
        self._orphaned = SIGKILL if throwaway else SIGTERM

    def command(self) -> processes.Command:
        jars.ensure()
        properties = self._write_properties()
        if not (self._data / "meta.properties").exists():
            self._format(properties)
        java = self._java(f"-Xms{self._heap}", f"-Xmx{self._heap}", *self._agent())
        return processes.Command(self.name, [*java, "kafka.Kafka", str(properties)], self.log, orphaned=self._orphaned)

    def answers(self) -> bool:
        if not ports.answers(self.node.port, self.node.host):
            return False
        client = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        try:
            return any(broker.id == self.node.id for broker in client.list_topics(timeout=2).brokers.values())
        except KafkaException:
            return False

    @property
    def _data(self) -> Path:
        return self._state / "data"

    def _agent(self) -> list[str]:
        if self.jmx_port is None:
            return []
        return [f"-javaagent:{jars.agent()}={self.node.host}:{self.jmx_port}:{CONFIG / 'jmx.yaml'}"]

    def _java(self, *options: str) -> list[str]:
        # The serial collector has no threads of its own: on two shared cores it beats G1 in start-up and in memory.
        log4j = f"-Dlog4j2.configurationFile={CONFIG / 'log4j2.xml'}"
        return [
            tools.java(),
            *options,
            "-XX:+UseSerialGC",
            # The first compiler only: the second one's threads take a core for the first minute of traffic, which is
            # when a trial measures. p99 of the first 60,000 events 28 ms instead of 69, and less CPU in all.
            "-XX:TieredStopAtLevel=1",
            "-XX:+ExitOnOutOfMemoryError",
            log4j,
            "-cp",
            f"{jars.folder()}/*",
        ]

    def _write_properties(self) -> Path:
        template = string.Template((CONFIG / "server.properties.template").read_text())
        self._state.mkdir(parents=True, exist_ok=True)
        file = self._state / "server.properties"
        file.write_text(
            template.substitute(
                node_id=self.node.id,
                host=self.node.host,
                port=self.node.port,
                controller_port=self.node.controller_port,
                quorum_voters=",".join(node.voter for node in self._quorum),
                internal_replication=len(self._quorum),
                data_dir=self._data,
            )
        )
        return file

    def _format(self, properties: Path) -> None:
        tool = [*self._java("-Xmx128m", "-XX:TieredStopAtLevel=1"), "kafka.tools.StorageTool"]
        argv = [*tool, "format", "--cluster-id", CLUSTER_ID, "--config", str(properties)]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            self.log.write_text(done.stdout + done.stderr)
            raise errors.StartFailed(self.name, f"formatting {self._data} failed", self.log)
