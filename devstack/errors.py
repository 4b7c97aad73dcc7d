"""Why the services of one machine do not come up.

DevstackError               the root: its text is a sentence for the person at the terminal
├── ToolMissing             a program that has to be there first: Java, Maven, a newer Python
├── JarsUnavailable         Maven could not fetch the broker
├── PortBusy                somebody else listens where a process of ours should
├── StartFailed             a process ended, or did not answer, before it was ready
└── StateInUse              another runner works on the same state
"""

from __future__ import annotations

from pathlib import Path


class DevstackError(Exception):
    """Something that the person who typed the command can act upon."""


class ToolMissing(DevstackError):
    """A program is missing or too old."""


class JarsUnavailable(DevstackError):
    """Kafka's jars could not be fetched."""


class PortBusy(DevstackError):
    """A port that was asked for is taken."""


class StateInUse(DevstackError):
    """Another runner owns the state folder."""


class StartFailed(DevstackError):
    """A process did not become ready."""

    def __init__(self, name: str, reason: str, log: Path) -> None:
        super().__init__(f"{name} did not start: {reason}. Its log is {log}\n{_tail(log)}")
        self.name = name
        self.log = log


def _tail(log: Path, lines: int = 15) -> str:
    if not log.exists():
        return ""
    return "\n".join(f"    {line}" for line in log.read_text(errors="replace").splitlines()[-lines:])
