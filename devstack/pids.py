"""Pid files that survive a SIGKILL of whoever wrote them, and still never name a stranger.

A process id is used again, quickly in a container. So NAME.pid, which holds nothing but the number, for people and
their `kill`, has NAME.started beside it: when that process began, in the kernel's own words. Both must agree.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


class PidFile:
    """`folder/name.pid`."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._pid = folder / f"{name}.pid"
        self._started = folder / f"{name}.started"

    def write(self, pid: int) -> None:
        """Remember a process that runs now."""
        _replace(self._started, f"{pid} {started(pid)}\n")
        _replace(self._pid, f"{pid}\n")

    def read(self) -> int | None:
        """The process id, if exactly that process still runs."""
        try:
            pid_text, moment = self._started.read_text().strip().split(" ", 1)
            pid = int(pid_text)
        except (FileNotFoundError, ValueError):  # never written, or half of it when the machine went down
            return None
        return pid if moment == started(pid) else None

    def remove(self) -> None:
        self._pid.unlink(missing_ok=True)
        self._started.unlink(missing_ok=True)


def written(folder: Path) -> list[str]:
    """The names that have a pid file."""
    return sorted(path.stem for path in folder.glob("*.started"))


def started(pid: int) -> str | None:
    """When the process `pid` began, as a text to be compared; None if there is no such process, or only its zombie."""
    return _started_linux(pid) if Path("/proc/self/stat").exists() else _started_ps(pid)


def _started_linux(pid: int) -> str | None:
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, ticks_since_boot = after_name[0], after_name[19]
    return None if state in "ZX" else f"{boot} {ticks_since_boot}"


def _started_ps(pid: int) -> str | None:
    ps = shutil.which("ps") or "/bin/ps"
    done = subprocess.run([ps, "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def _replace(file: Path, text: str) -> None:
    unfinished = file.with_suffix(file.suffix + ".new")
    unfinished.write_text(text)
    os.replace(unfinished, file)
