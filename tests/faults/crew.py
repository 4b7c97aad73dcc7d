"""Processes of one kind, kept running: one that ends is started again at once, as a supervisor would.

All of them are started by a thread of the crew's own, which outlives them: the kernel ends a process with the *thread*
that started it (devstack/tether.py).
"""

import threading
import time
from collections.abc import Callable
from signal import SIGKILL, SIGTERM

from devstack import waiting
from devstack.applications import Application
from tests.faults.background import Background

READY_SECONDS = 90.0
_LOOK_SECONDS = 0.02
_STEADY_SECONDS = 5.0
_PAUSE_SECONDS = 1.0
_DEAF_SECONDS = 10.0  # until then, on a busy machine, it may not know yet what to do about SIGTERM

Make = Callable[[str], Application]


class Member:
    """One place in a crew. `wanted`: to be kept running. `told`: the end of its present start was asked for. `seen`: it
    was looked at."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.wanted = self.told = self.seen = True
        self.starts = 0
        self.started_at = self.told_at = self.due = 0.0

    def tell(self, *, wanted: bool) -> None:
        """Its end is asked for now."""
        self.told, self.wanted = True, wanted
        if self.application.running:
            self.told_at = time.monotonic()


class Crew(Background):
    """Members by name. `make` gives the application of a name; `endings` says who ended without being told to, and how.

    Every method may be called from any thread.
    """

    def __init__(self, make: Make) -> None:
        super().__init__("supervisor")
        self.endings: list[str] = []
        self._make = make
        self._members: dict[str, Member] = {}
        self._lock = threading.RLock()

    @property
    def names(self) -> list[str]:
        """Those that are to run."""
        with self._lock:
            return sorted(name for name, member in self._members.items() if member.wanted)

    def application(self, name: str) -> Application:
        return self._members[name].application

    def starts(self, name: str) -> int:
        """How often it was started."""
        return self._members[name].starts

    def add(self, *names: str) -> None:
        """Have them run from now on, new ones and those that were removed."""
        with self._lock:
            for name in names:
                if name not in self._members:
                    self._members[name] = Member(self._make(name))
                self._members[name].wanted = True

    def wait_ready(self, *names: str, seconds: float = READY_SECONDS) -> None:
        """Wait until these, or all that are to run, answer that they are ready. Raises TimeoutError."""
        for name in names or self.names:
            application = self.application(name)
            if not waiting.until(lambda: application.running and application.answers(), seconds):  # noqa: B023
                message = f"{name} is not ready after {seconds:.0f} s, see {application.log}"
                raise TimeoutError(message)

    def kill(self, name: str, *, again: bool = True) -> None:
        """SIGKILL; started again at once unless it is to stay away until `add`."""
        with self._lock:
            member = self._members[name]
            member.tell(wanted=again)
            member.application.kill()

    def remove(self, name: str) -> bool:
        """SIGTERM, and wait for the end. False if it had to be killed."""
        with self._lock:
            member = self._members[name]
            member.tell(wanted=False)
        return member.application.stop()

    def restart(self, name: str) -> bool:
        """SIGTERM, wait for the end, and start it again. False if it had to be killed."""
        clean = self.remove(name)
        self.add(name)
        return clean

    def ask_to_restart(self, name: str) -> None:
        """SIGTERM; started again whenever it has ended."""
        with self._lock:
            member = self._members[name]
            member.tell(wanted=member.wanted)
            member.application.ask_to_stop()

    def stop(self) -> None:
        """SIGTERM to all of them at once, and wait for their end."""
        with self._lock:
            members = list(self._members.values())
            for member in members:
                member.wanted = False
                member.application.ask_to_stop()
        for member in members:
            member.application.stop()

    def pause(self, name: str) -> None:
        """SIGSTOP; back once no thread of it moves."""
        self.application(name).pause()

    def resume(self, name: str) -> None:
        """SIGCONT."""
        self.application(name).resume()

    def _end(self) -> None:
        """None is left. The thread ends last: its end would end them too."""
        with self._lock:
            for member in self._members.values():
                member.wanted = False
                member.application.kill()
        super()._end()

    def _run(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            with self._lock:
                for name, member in self._members.items():
                    if member.wanted and not member.application.running:
                        self._look_after(name, member)

    def _look_after(self, name: str, member: Member) -> None:
        """One that ended by itself soon after its start is started again a pause later."""
        now = time.monotonic()
        if not member.seen:
            member.seen = True
            self._look_at_end(name, member, now - member.started_at)
        if now >= member.due:
            member.application.start()
            member.told = member.seen = False
            member.started_at = now
            member.starts += 1

    def _look_at_end(self, name: str, member: Member, age: float) -> None:
        if not member.told:
            member.due = time.monotonic() + (_PAUSE_SECONDS if age < _STEADY_SECONDS else 0.0)
        told_age = member.told_at - member.started_at
        if not member.told or not was_asked_for(member.application.returncode, told_age):
            self.endings.append(f"{name} {member.application.ending()} after {age:.1f} s")


def was_asked_for(status: int | None, age: float) -> bool:
    """Whether this is how one ends that is told to at this age, in seconds."""
    return status in (0, -SIGKILL) or (status == -SIGTERM and age < _DEAF_SECONDS)
