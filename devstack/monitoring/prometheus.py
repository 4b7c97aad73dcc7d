"""Prometheus beside `make run`: its configuration, made from the project's own rules, and its process."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

from devstack import paths, ports, processes, servers, tools, web
from devstack.monitoring import targets

CONFIG = paths.PROJECT / "monitoring" / "prometheus"
EXPECTED = "expected.yml"  # the cluster's has this name too, and is not the one that holds here
_KEPT = "7d"


class PrometheusServer(servers.Server):
    """Its configuration and measurements are in `folder`. Rules are those of the checkout, read at start and reload."""

    def __init__(self, folder: Path, port: int, log: Path) -> None:
        super().__init__("prometheus", log)
        self.port = port
        self._folder = folder

    def command(self) -> processes.Command:
        argv = [
            tools.prometheus(),
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--storage.tsdb.retention.time={_KEPT}",
            f"--web.listen-address={ports.HOST}:{self.port}",
        ]
        return processes.Command(self.name, argv, self.log)

    def answers(self) -> bool:
        return web.answers(self.port, "/-/ready")

    def configure(self, asked: Sequence[targets.Target]) -> None:
        """Write what it reads at its start: rules, and whom to ask."""
        rules = self._folder / "rules"
        shutil.rmtree(rules, ignore_errors=True)
        rules.mkdir(parents=True)
        for file in sorted((CONFIG / "rules").glob("*.yml")):
            if file.name != EXPECTED:
                (rules / file.name).symlink_to(file)
        (rules / EXPECTED).write_bytes(targets.expected(asked))
        (self._folder / "targets.json").write_bytes(targets.discovered(asked))
        shutil.copyfile(CONFIG / "local.yml", self._folder / "prometheus.yml")

    def reload(self) -> None:
        """Have it read all of that again."""
        if self.pid is not None and self.running:
            processes.signal_all([self.pid], signal.SIGHUP)
