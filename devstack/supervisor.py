"""Keeps processes running: one that ends is started again, later each time, and a person is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from devstack import errors, pids, servers

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 60.0  # one that ran this long before it ended starts again without having to wait for its past

Say = Callable[[str], None]
Clock = Callable[[], float]


@dataclass
class _Watched:
    server: servers.Server
    pid_file: pids.PidFile
    started_at: float = 0.0
    delay: float = FIRST_DELAY_SECONDS
    restart_at: float | None = None  # None while it runs


class Supervisor:
    """Starts servers, writes their pid files and starts them again when they end. Call watch() a few times a second."""

    def __init__(self, pid_file: Callable[[str], pids.PidFile], say: Say, clock: Clock = time.monotonic) -> None:
        self._pid_file = pid_file
        self._say = say
        self._clock = clock
        self._watched: list[_Watched] = []

    def start(self, server: servers.Server) -> None:
        """Start a server and keep it running from now on."""
        watched = _Watched(server, self._pid_file(server.name))
        self._watched.append(watched)
        self._start(watched)

    def watch(self) -> None:
        """Look at each server once; start again what ended and has waited long enough."""
        for watched in self._watched:
            if watched.restart_at is None and not watched.server.running:
                self._ended(watched)
            elif watched.restart_at is not None and self._clock() >= watched.restart_at:
                self._start_again(watched)

    def stop(self, names: Iterable[str]) -> None:
        """End these servers together, cleanly, and watch them no longer. All are asked before any is waited for."""
        leaving = [watched for watched in self._watched if watched.server.name in set(names)]
        self._watched = [watched for watched in self._watched if watched not in leaving]
        for watched in leaving:
            watched.server.ask_to_stop()
        for watched in leaving:
            if not watched.server.stop():
                self._say(f"{watched.server.name}: did not end in {watched.server.stop_seconds:g} s and was killed")
            watched.pid_file.remove()

    def _start(self, watched: _Watched) -> None:
        watched.server.start()
        watched.started_at = self._clock()
        watched.restart_at = None
        if watched.server.pid is not None:
            watched.pid_file.write(watched.server.pid)

    def _start_again(self, watched: _Watched) -> None:
        self._say(f"{watched.server.name}: starting again")
        try:
            self._start(watched)
        except (errors.DevstackError, OSError) as reason:
            self._say(f"{watched.server.name}: {reason}")
            self._back_off(watched)

    def _ended(self, watched: _Watched) -> None:
        if self._clock() - watched.started_at >= STEADY_SECONDS:
            watched.delay = FIRST_DELAY_SECONDS
        watched.pid_file.remove()
        server = watched.server
        self._say(f"{server.name}: {server.ending()}; starting again in {watched.delay:g} s (see {server.log})")
        self._back_off(watched)

    def _back_off(self, watched: _Watched) -> None:
        watched.restart_at = self._clock() + watched.delay
        watched.delay = min(watched.delay * 2, LONGEST_DELAY_SECONDS)
