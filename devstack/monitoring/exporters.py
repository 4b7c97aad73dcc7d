"""Exporters, where they are installed: the figures of what has no /metrics of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack import errors, ports, processes, servers, tools, web
from devstack.monitoring import targets
from devstack.monitoring.settings import MonitoringSettings
from devstack.settings import DevstackSettings
from devstack.state import State

_DATABASE = "allezone"


class Exporter(servers.Server):
    """The first of `programs` that is found, listening on `target`'s port; `source` is where it comes from.

    `environment` is laid over our own.
    """

    def __init__(
        self,
        programs: Sequence[str],
        source: str,
        target: targets.Target,
        log: Path,
        *,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(log.stem, log)
        self.target = target
        self._programs = tuple(programs)
        self._source = source
        self._arguments = tuple(arguments)
        self._environment = dict(environment or {})

    @property
    def found(self) -> bool:
        return tools.optional(*self._programs) is not None

    @property
    def advice(self) -> str:
        """What to say where it is not found."""
        return f"no {self.name}: its figures are missing ({self._source})"

    def command(self) -> processes.Command:
        program = tools.optional(*self._programs)
        if program is None:
            raise errors.ToolMissing(self.advice)
        argv = [program, f"--web.listen-address={ports.HOST}:{self.target.port}", *self._arguments]
        return processes.Command(self.name, argv, self.log, env={**os.environ, **self._environment})

    def answers(self) -> bool:
        return web.answers(self.target.port, "/metrics")


def of(settings: MonitoringSettings, state: State, system: DevstackSettings) -> list[Exporter]:
    """Those of one machine, found or not. `system` is what the servers that they ask were started with."""
    login = {
        "DATA_SOURCE_URI": f"{ports.HOST}:{system.db_port}/{_DATABASE}?sslmode=disable",
        "DATA_SOURCE_USER": "postgres",
        "DATA_SOURCE_PASS": state.password(),
    }
    return [
        Exporter(
            ["prometheus-node-exporter", "node_exporter"],
            "Debian and Ubuntu: `apt install prometheus-node-exporter`",
            targets.Target("node", "node-exporter", settings.node_exporter_port),
            state.log("node-exporter"),
        ),
        Exporter(
            ["prometheus-postgres-exporter", "postgres_exporter"],
            "Debian and Ubuntu: `apt install prometheus-postgres-exporter`",
            targets.Target("postgres", "postgres", settings.postgres_exporter_port),
            state.log("postgres-exporter"),
            environment=login,
        ),
        Exporter(
            ["kafka_exporter"],
            "put a `kafka_exporter` on the PATH: https://github.com/danielqsj/kafka_exporter",
            targets.Target("kafka", "kafka-exporter", settings.kafka_exporter_port),
            state.log("kafka-exporter"),
            arguments=[f"--kafka.server={ports.HOST}:{system.kafka_port}"],
        ),
    ]
