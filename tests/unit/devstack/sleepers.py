"""Servers that do nothing, for tests of whoever looks after servers."""

from __future__ import annotations

import sys
from pathlib import Path

from devstack import processes, servers

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
