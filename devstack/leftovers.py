"""Processes of a runner that was killed: found by their pid files, ended, so that a new runner starts from rest."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from devstack import pids, processes, waiting

# Less than a clean end may take: these were given up once already, and whoever typed `make run` waits.
PATIENCE_SECONDS = 10.0


def end(folder: Path, names: Iterable[str], say: Callable[[str], None], patience: float = PATIENCE_SECONDS) -> None:
    """End those of `names` that have a pid file in `folder`, in this order, gently first. Others are not touched."""
    names = list(names)
    _wake([pids.PidFile(folder, name) for name in names])
    for name in names:
        pid_file = pids.PidFile(folder, name)
        pid = pid_file.read()
        if pid is not None:
            say(f"{name}: process {pid} is left over from a run that was killed; ending it")
            _end(pid_file, pid, patience)
        pid_file.remove()


def _wake(pid_files: Sequence[pids.PidFile]) -> None:
    """Let paused ones go on, all of them first: a worker ends the sooner if its broker answers."""
    for pid in filter(None, (pid_file.read() for pid_file in pid_files)):
        processes.signal_all([pid, *processes.children(pid)], signal.SIGCONT)


def _end(pid_file: pids.PidFile, pid: int, patience: float) -> None:
    children = processes.children(pid)
    # To PostgreSQL, SIGTERM means to wait for its clients to leave; every other server takes both signals alike.
    processes.signal_all([pid], signal.SIGINT if pid_file.name == "postgres" else signal.SIGTERM)
    if not waiting.until(lambda: pid_file.read() is None, patience):
        processes.signal_all([pid, *children], signal.SIGKILL)
        waiting.until(lambda: pid_file.read() is None, patience)
