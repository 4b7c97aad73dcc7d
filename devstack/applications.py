"""Our own processes, as the runner sees them: a Python module to run and a port that answers /readyz."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from signal import SIGKILL, SIGTERM

from devstack import errors, paths, processes, servers, web

_RUN_SECONDS = 120.0


class Application(servers.Server):
    """`python -m ARGUMENTS...` with `environment` (all of it), ready when `/readyz` on `port` says so.

    A `throwaway` one is killed with the process that started it, even while it is paused.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        port: int,
        environment: Mapping[str, str],
        log: Path,
        *,
        throwaway: bool = False,
    ) -> None:
        super().__init__(name, log)
        self.port = port
        self._arguments = tuple(arguments)
        self._environment = environment
        self._orphaned = SIGKILL if throwaway else SIGTERM

    def command(self) -> processes.Command:
        argv = [sys.executable, "-m", *self._arguments]
        return processes.Command(
            self.name, argv, self.log, cwd=paths.PROJECT, env=self._environment, orphaned=self._orphaned
        )

    def answers(self) -> bool:
        return web.answers(self.port, "/readyz")


def run_to_end(arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
    """Run `python -m ARGUMENTS...`, a command that ends by itself. Raises errors.StartFailed if it fails or hangs."""
    argv = [sys.executable, "-m", *arguments]
    try:
        with log.open("ab") as output:
            subprocess.run(
                argv,
                cwd=paths.PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=_RUN_SECONDS,
                check=True,
            )
    except subprocess.CalledProcessError as failed:
        raise errors.StartFailed(" ".join(arguments), f"it ended with status {failed.returncode}", log) from failed
    except subprocess.TimeoutExpired as late:
        raise errors.StartFailed(" ".join(arguments), f"it did not end within {_RUN_SECONDS:.0f} s", log) from late
