"""Servers that do nothing, for tests of whoever looks after servers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from devstack import paths, pids, processes, servers, waiting

FOREVER = "import time; time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


class Sleeper(servers.Server):
    """Runs a line of Python and answers as soon as it runs."""

    def __init__(self, folder: Path, name: str = "sleeper", code: str = FOREVER) -> None:
        super().__init__(name, folder / f"{name}.log")
        self.code = code

    def command(self) -> processes.Command:
        return processes.Command(self.name, [sys.executable, "-S", "-c", self.code], self.log)

    def answers(self) -> bool:
        return self.running


def must_die_with_its_starter(code: str) -> None:
    """`code` starts a process, prints its pid and goes on living: when it is killed, so is that process."""
    starter = subprocess.Popen([sys.executable, "-c", code], cwd=paths.PROJECT, stdout=subprocess.PIPE, text=True)
    with starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert pids.started(pid) is not None

        starter.kill()

        assert waiting.until(lambda: pids.started(pid) is None, 10)
