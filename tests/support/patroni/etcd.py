"""One etcd: what Patroni's members agree in. That three agree among themselves is etcd's own business."""

from __future__ import annotations

import shutil
import urllib.request
from pathlib import Path

from devstack import ports, processes, servers
from tests.support import programs


class Etcd(servers.Server):
    """A single member, with its data in `state`."""

    def __init__(self, state: Path) -> None:
        super().__init__("etcd", state / "etcd.log")
        self._state = state
        self._port, self._peer_port = ports.reserve(), ports.reserve()

    @property
    def address(self) -> str:
        """Host and port of clients."""
        return f"{ports.HOST}:{self._port}"

    def command(self) -> processes.Command:
        (program,) = programs.require("etcd")
        client, peer = f"http://{self.address}", f"http://{ports.HOST}:{self._peer_port}"
        argv = [program, "--name=etcd1", f"--data-dir={self._state / 'etcd'}", "--unsafe-no-fsync"]
        argv += [f"--listen-client-urls={client}", f"--advertise-client-urls={client}"]
        argv += [
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=etcd1={peer}",
        ]
        return processes.Command(self.name, argv, self.log)

    def forget(self) -> None:
        """Its data is gone."""
        shutil.rmtree(self._state / "etcd")

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.address}/health", timeout=2) as answer:
                return b'"true"' in answer.read()
        except OSError:
            return False
