"""Exporters of Debian's packages, where they are installed: the figures of what has no /metrics of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack import errors, ports, processes, servers, tools, web
from devstack.monitoring import targets
from devstack.monitoring.settings import MonitoringSettings
from devstack.state import State

NODE = ("prometheus-node-exporter", "node_exporter")
POSTGRES = ("prometheus-postgres-exporter", "postgres_exporter")


class Exporter(servers.Server):
    """The first of `programs` that is found, listening on `target`'s port. `environment` is laid over our own."""

    def __init__(
        self,
        name: str,
        programs: Sequence[str],
        target: targets.Target,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name, log)
        self.target = target
        self._programs = tuple(programs)
        self._environment = dict(environment or {})

    @property
    def found(self) -> bool:
        return tools.optional(*self._programs) is not None

    @property
    def advice(self) -> str:
        """What to say where it is not found."""
        return f"no {self.name}: its figures are missing (Debian and Ubuntu: `apt install {self._programs[0]}`)"

    def command(self) -> processes.Command:
        program = tools.optional(*self._programs)
        if program is None:
            raise errors.ToolMissing(self.advice)
        argv = [program, f"--web.listen-address={ports.HOST}:{self.target.port}"]
        return processes.Command(self.name, argv, self.log, env={**os.environ, **self._environment})

    def answers(self) -> bool:
        return web.answers(self.target.port, "/metrics")


def of(settings: MonitoringSettings, state: State, db_port: int) -> list[Exporter]:
    """Those of one machine, found or not."""
    node = targets.Target("node", "node-exporter", settings.node_exporter_port)
    postgres = targets.Target("postgres", "postgres", settings.postgres_exporter_port)
    login = {
        "DATA_SOURCE_URI": f"{ports.HOST}:{db_port}/allezone?sslmode=disable",
        "DATA_SOURCE_USER": "postgres",
        "DATA_SOURCE_PASS": state.password(),
    }
    return [
        Exporter("node-exporter", NODE, node, state.log("node-exporter")),
        Exporter("postgres-exporter", POSTGRES, postgres, state.log("postgres-exporter"), login),
    ]
