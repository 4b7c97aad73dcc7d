"""What every server of the stack has in common: it is started, answers some time later, and is ended."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, strsignal

from devstack import errors, processes, waiting

START_SECONDS = 60.0
STOP_SECONDS = 25.0  # the slowest by design is a gateway, which has 20 s to finish its requests
_FROZEN_SECONDS = 5.0  # on a busy machine a thread may take a while to notice


class Server(ABC):
    """One server process. `log` gets all that it prints, over all its starts."""

    stop_seconds = STOP_SECONDS

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._process: processes.Process | None = None

    @abstractmethod
    def command(self) -> processes.Command:
        """Prepare what it needs on disk and say how to run it. Called before each start."""

    @abstractmethod
    def answers(self) -> bool:
        """True if it takes requests now. Never raises because it does not."""

    def start(self) -> None:
        """Start it. Returns before it answers: see wait_ready()."""
        self._process = processes.Process(self.command())

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Wait until it answers. Raises errors.StartFailed when it ends instead, or is too late."""
        if waiting.until(lambda: not self.running or self.answers(), seconds) and self.running:
            return
        reason = f"no answer within {seconds:.0f} s" if self.running else f"it {self.ending()}"
        raise errors.StartFailed(self.name, reason, self.log)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def returncode(self) -> int | None:
        return self._process.returncode if self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def ending(self) -> str:
        """How it ended, in words."""
        status = self.returncode
        if status is None:
            return "still runs"
        return f"ended by signal {-status} ({strsignal(-status)})" if status < 0 else f"ended with status {status}"

    def ask_to_stop(self) -> None:
        """Ask for a clean end and do not wait for it."""
        if self._process is not None:
            self._process.ask_to_stop()

    def stop(self) -> bool:
        """End it cleanly, by force after `stop_seconds`. True if force was not needed."""
        return self._process is None or self._process.stop(self.stop_seconds)

    def kill(self) -> None:
        """End it as a power cut would, its children too."""
        if self._process is not None:
            children = processes.children(self._process.pid)
            self._process.kill()
            processes.signal_all(children, SIGKILL)

    def pause(self) -> None:
        """Freeze it, its children too: connections stay open and nothing answers. Returns once it is so."""
        if self._process is not None and self.running:
            family = [self._process.pid, *processes.children(self._process.pid)]
            processes.signal_all(family, SIGSTOP)
            waiting.until(lambda: not any(map(processes.moves, family)), _FROZEN_SECONDS, interval=0.001)

    def resume(self) -> None:
        if self._process is not None and self.running:
            processes.signal_all([self._process.pid, *processes.children(self._process.pid)], SIGCONT)

    def restart(self) -> None:
        """Stop it cleanly, start it on the same data and port, and wait until it answers."""
        self.stop()
        self.start()
        self.wait_ready()
