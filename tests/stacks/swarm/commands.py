"""Commands that end within a time, and what they said where they fail."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_LINES_TOLD = 15


class Failed(Exception):
    """A command failed or did not end in time; the message is the command and the last lines that it said."""


def run(
    command: Sequence[str | Path],
    *,
    seconds: float,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    said: str | None = None,
) -> str:
    """What it writes, errors included; `log` gets that too. `said` is its standard input. Raises Failed."""
    name = " ".join(str(part) for part in command)
    try:
        done = subprocess.run(
            command,
            check=False,
            text=True,
            input=said if said is not None else "",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            env=environment,
        )
    except subprocess.TimeoutExpired as late:
        output = late.stdout.decode(errors="replace") if isinstance(late.stdout, bytes) else late.stdout or ""
        raise Failed(_told(f"{name}: did not end within {seconds:.0f} s", output)) from late
    if log is not None:
        with log.open("a") as file:
            file.write(f"$ {name}\n{done.stdout}\n")
    if done.returncode:
        raise Failed(_told(f"{name}: exit status {done.returncode}", done.stdout))
    return done.stdout


def _told(failure: str, output: str) -> str:
    return "\n  ".join([failure, *output.strip().splitlines()[-_LINES_TOLD:]])
