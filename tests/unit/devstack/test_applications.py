"""Our own processes, as the runner sees them."""

import subprocess
import sys
from pathlib import Path

from devstack import paths, pids, ports, waiting


def test_a_throwaway_application_dies_with_its_starter_even_while_it_is_paused(tmp_path: Path) -> None:
    port = ports.reserve()
    code = (
        "import os, time; from pathlib import Path; from devstack import ports, waiting\n"
        "from devstack.applications import Application\n"
        f"run, log = ['http.server', '{port}'], Path({str(tmp_path)!r}, 'log')\n"
        f"application = Application('x', run, {port}, dict(os.environ), log, throwaway=True)\n"
        f"application.start(); waiting.until(lambda: ports.answers({port}), 20); application.pause()\n"
        "print(application.pid, flush=True); time.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", code], cwd=paths.PROJECT, stdout=subprocess.PIPE, text=True)
    with starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert pids.started(pid) is not None

        starter.kill()

        assert waiting.until(lambda: pids.started(pid) is None, 10)
