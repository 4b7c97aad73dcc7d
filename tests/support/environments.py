"""Virtual environments of programs that tests run beside our own: made once from a lock, and kept in the cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from devstack import paths

_PIP: Final = ("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--require-hashes")
_SECONDS: Final = 240


class Unavailable(Exception):
    """The packages could not be installed; the message is what pip said."""


def ensure(name: str, locks: Sequence[Path]) -> Path:
    """The `bin` folder of an environment with all that `locks` name, installed one after the other.

    A later lock may be built with what an earlier one brought, as in services/postgres/Dockerfile. Raises Unavailable.
    """
    digest = hashlib.sha256(b"".join(lock.read_bytes() for lock in locks)).hexdigest()[:12]
    folder = paths.CACHE / f"{name}-{digest}"
    paths.CACHE.mkdir(exist_ok=True)
    with (paths.CACHE / f"{name}.lock").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _make(folder, locks)
            (folder / "complete").touch()
    return folder / "bin"


def _make(folder: Path, locks: Sequence[Path]) -> None:
    _run([sys.executable, "-m", "venv", str(folder)])
    for lock in locks:
        _run([str(folder / "bin" / "python"), *_PIP, "--no-deps", "--no-build-isolation", "--requirement", str(lock)])


def _run(argv: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            argv,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as late:
        message = f"`{' '.join(argv)}` did not end within {_SECONDS} s"
        raise Unavailable(message) from late
    if done.returncode != 0:
        raise Unavailable(done.stdout + done.stderr)
