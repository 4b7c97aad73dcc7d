"""One child process: its command, its log, its end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from devstack import errors, waiting

_LONG_LOG_BYTES = 50_000_000
_TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True)
class Command:
    """What to run. `stop` is the signal that asks for a clean end, `orphaned` what it gets when its parent is gone."""

    name: str
    argv: Sequence[str]
    log: Path
    cwd: Path | None = None
    env: Mapping[str, str] | None = None  # all of it; the parent's own by default
    stop: signal.Signals = signal.SIGTERM
    orphaned: signal.Signals = signal.SIGTERM


class Process:
    """A started command. Signals go to the process itself; it leads a session of its own, so that Ctrl-C at the
    terminal reaches only the parent, which then ends its children in the right order."""

    def __init__(self, command: Command) -> None:
        _make_room(command.log)
        self.command = command
        self._asked = False
        with command.log.open("ab") as log:
            self._popen = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_TETHER), str(int(command.orphaned)), str(os.getpid()), *command.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=command.cwd,
                env=command.env,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; negative: ended by that signal."""
        return self._popen.poll()

    @property
    def running(self) -> bool:
        return self.returncode is None

    def send(self, number: signal.Signals) -> None:
        if self.running:
            self._popen.send_signal(number)

    def wait(self, seconds: float) -> bool:
        """Wait for its end; False if it did not come in time."""
        return waiting.until(lambda: not self.running, seconds)

    def ask_to_stop(self) -> None:
        """Ask for a clean end, once (a second request means haste to some), and do not wait for it."""
        if not self._asked:
            self._asked = True
            self.send(self.command.stop)
            self.send(signal.SIGCONT)  # a paused process takes no other signal

    def stop(self, seconds: float) -> bool:
        """Ask for a clean end and insist after `seconds`. True if it ended by itself."""
        self.ask_to_stop()
        if self.wait(seconds):
            return True
        self.kill()
        return False

    def kill(self) -> None:
        """End it as a power cut would, and wait until the kernel has done so."""
        self.send(signal.SIGKILL)
        self._popen.wait()


def _make_room(log: Path) -> None:
    """A log that has grown long over many starts is put aside, once."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LONG_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))


def children(pid: int) -> list[int]:
    """The processes that `pid` started itself and that still run (Linux; elsewhere none are found)."""
    return [int(stat.parent.name) for stat in Path("/proc").glob("[0-9]*/stat") if _state(stat)[1:] == [str(pid)]]


def moves(pid: int) -> bool:
    """False if the process, in every thread, is stopped by SIGSTOP or has ended (Linux; elsewhere never known)."""
    return any(_state(stat)[:1] not in ([], ["T"], ["Z"]) for stat in Path(f"/proc/{pid}/task").glob("*/stat"))


def _state(stat: Path) -> list[str]:
    """[state, parent] of a process or thread; empty if it ended while we looked."""
    try:
        return stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
    except OSError:
        return []


def signal_all(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to each process that is still there."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def alive(pid: int) -> bool:
    """True if there is a process of that number, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def command_line(pid: int) -> str:
    """Program and arguments of a process; empty if there is none."""
    ps = shutil.which("ps")
    if Path("/proc/self/cmdline").exists():
        with suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
        return ""
    if ps is None:
        reason = "`ps` is missing: without it, nobody can tell which process is which."
        raise errors.ToolMissing(reason)
    return subprocess.run([ps, "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
