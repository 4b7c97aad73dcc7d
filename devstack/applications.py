"""Our own processes, as the runner sees them: a Python module to run and a port that answers /readyz."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from devstack import paths, ports, processes, servers

_PROBE_SECONDS = 2.0


class Application(servers.Server):
    """`python -m ARGUMENTS...` with `environment` (all of it), ready when `/readyz` on `port` says so."""

    def __init__(
        self, name: str, arguments: Sequence[str], port: int, environment: Mapping[str, str], log: Path
    ) -> None:
        super().__init__(name, log)
        self.port = port
        self._arguments = tuple(arguments)
        self._environment = environment

    def command(self) -> processes.Command:
        argv = [sys.executable, "-m", *self._arguments]
        return processes.Command(self.name, argv, self.log, cwd=paths.PROJECT, env=self._environment)

    def answers(self) -> bool:
        connection = http.client.HTTPConnection(ports.HOST, self.port, timeout=_PROBE_SECONDS)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
