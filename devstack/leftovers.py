"""Processes of a runner that was killed: found by their pid files, ended, so that a new runner starts from rest."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from devstack import pids, processes, servers, waiting


def end(
    folder: Path, stop_order: Callable[[str], int], say: Callable[[str], None], patience: float = servers.STOP_SECONDS
) -> None:
    """End every process that has a pid file in `folder`, gently first, those of lowest `stop_order` first."""
    for name in sorted(pids.written(folder), key=stop_order):
        pid_file = pids.PidFile(folder, name)
        pid = pid_file.read()
        if pid is not None:
            say(f"{name}: process {pid} is left over from a run that was killed; ending it")
            _end(pid_file, pid, patience)
        pid_file.remove()


def _end(pid_file: pids.PidFile, pid: int, patience: float) -> None:
    children = processes.children(pid)
    # To PostgreSQL, SIGTERM means to wait for its clients to leave; every other server takes both signals alike.
    processes.signal_all([pid], signal.SIGINT if pid_file.name == "postgres" else signal.SIGTERM)
    processes.signal_all([pid, *children], signal.SIGCONT)
    if not waiting.until(lambda: pid_file.read() is None, patience):
        processes.signal_all([pid, *children], signal.SIGKILL)
        waiting.until(lambda: pid_file.read() is None, patience)
