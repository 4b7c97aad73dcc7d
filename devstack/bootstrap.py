"""Make the virtual environment from a lock file, with every hash checked: `python3 devstack/bootstrap.py local|dev`.

Runs on the machine's own Python, of whatever version, with nothing installed: the standard library only, and nothing
that an old Python could not parse, so that it gets as far as saying what is wrong. Does nothing if all is in place.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
WIDER = {"local": ("local", "dev"), "dev": ("dev",)}  # an environment for development serves `make run` too

_PINNED = re.compile(r"^[\w.-]+(?:\[[\w,.-]+\])?==", re.MULTILINE)
_PACKAGE = re.compile(r"Collecting |Requirement already satisfied: ")


def main(kind: str) -> int:
    if sys.version_info < OLDEST:
        return _refuse(_too_old())
    lock = PROJECT / ".cache" / "venv.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # `make run` and `make test` may be typed at once
        if any(_is_installed(other) for other in WIDER[kind]):
            return 0
        return _install(kind)


def _install(kind: str) -> int:
    requirements = _requirements(kind)
    if not _works() and not _make():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return _refuse(f"{sys.executable} makes no virtual environments: on Debian `apt install python{version}-venv`.")
    _say(f"Installing Python packages into {VENV.name} (once; {requirements.name})")
    if _pip_install(requirements) != 0:
        return _refuse("The Python packages could not be installed: see above. Is this machine online?")
    _stamp(kind).write_text(_digest(requirements))
    return 0


def _works() -> bool:
    return PYTHON.exists() and subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode == 0


def _make() -> bool:
    _say(f"Making the virtual environment {VENV.name}")
    shutil.rmtree(VENV, ignore_errors=True)
    return subprocess.run([sys.executable, "-m", "venv", VENV], check=False).returncode == 0


def _pip_install(requirements: Path) -> int:
    """pip's status. Of what it prints the packages are counted; the rest is shown only if it fails."""
    argv = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-input", "--disable-pip-version-check"]
    total = len(_PINNED.findall(requirements.read_text()))
    seen: list[str] = []
    done = 0
    with subprocess.Popen(
        [*argv, "-r", requirements], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        for line in pip.stdout or ():
            seen.append(line)
            if _PACKAGE.match(line):
                done += 1
                _progress(done, total)
    if pip.returncode != 0:
        sys.stderr.writelines(seen)
    return pip.returncode


def _progress(done: int, total: int) -> None:
    """One line that is written over on a terminal; elsewhere every tenth package is enough to see that it moves."""
    if os.isatty(2):
        sys.stderr.write(f"\r  {done} of {total} packages" + ("\n" if done == total else ""))
        sys.stderr.flush()
    elif done % 10 == 0:
        _say(f"  {done} of {total} packages")


def _is_installed(kind: str) -> bool:
    stamp = _stamp(kind)
    return stamp.exists() and stamp.read_text() == _digest(_requirements(kind)) and PYTHON.exists()


def _requirements(kind: str) -> Path:
    return PROJECT / f"requirements-{kind}.lock"


def _stamp(kind: str) -> Path:
    """Holds the digest of the lock file that the environment was made from."""
    return VENV / f"allezone-{kind}.installed"


def _digest(requirements: Path) -> str:
    return hashlib.sha256(requirements.read_bytes()).hexdigest()


def _too_old() -> str:
    have = f"{sys.version_info.major}.{sys.version_info.minor}"
    newer = [name for name in ("python3.13", "python3.12", "python3.11") if shutil.which(name)]
    advice = f"type `make PYTHON={newer[0] if newer else 'python3.12'} ...`" + (
        "" if newer else " after installing one"
    )
    return f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed and {sys.executable} is {have}: {advice}."


def _refuse(reason: str) -> int:
    sys.stderr.write(f"{reason}\n")
    return 2


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
