"""pgBackRest for tests: the machine's, or Debian unstable's, unpacked into the cache with the libraries that it wants.

Backups are of PostgreSQL 18, which pgBackRest knows since 2.56; Debian 12 has 2.45. Run as a module, this one finds it
or fetches it, with apt, from where the machine has its packages, by Debian's keys; nothing is installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest

from devstack import paths
from tests.support import programs

OLDEST: Final = (2, 56)
FOLDER: Final = paths.CACHE / "pgbackrest"
_KEYS: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SOURCE: Final = "deb [signed-by={keys}] {archive} unstable main\n"
_WANTED: Final = re.compile(r"(pgbackrest|zlib1g|lib(?!perl|systemd-shared)).*\.deb")
# The unpacked program with its own loader and libraries, which are newer than the machine's. It starts itself again for
# its workers, by the name that it was called with.
_WRAPPER: Final = """\
#!/bin/sh
exec {libraries}/ld-linux-x86-64.so.2 --argv0 "$0" --library-path {libraries} {root}/usr/bin/pgbackrest "$@"
"""
_SECONDS: Final = 300


def require() -> Path:
    """The folder of the program that PGBACKREST names. Skips without it, in CI as well: `make test-backup` sets it."""
    named = os.environ.get("PGBACKREST")
    if not named:
        pytest.skip("PGBACKREST names no pgbackrest: backups were not tried (`make test-backup` does it)")
    return Path(named).parent


def find() -> Path:
    """One that is new enough: the machine's, or the cache's, which is fetched if it is not there."""
    machine = shutil.which("pgbackrest", path=programs.SEARCHED)
    if machine is not None and version(Path(machine)) >= OLDEST:
        return Path(machine)
    return fetch()


def version(program: Path) -> tuple[int, ...]:
    """As in `pgBackRest 2.60.0`."""
    printed = subprocess.run([program, "version"], capture_output=True, text=True, timeout=30, check=True).stdout
    return tuple(map(int, re.findall(r"\d+", printed)))


def fetch() -> Path:
    """Unpack it into the cache, if it is not there."""
    program = FOLDER / "bin" / "pgbackrest"
    if not program.exists():
        shutil.rmtree(FOLDER, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="allezone-pgbackrest-") as name:
            (FOLDER / "root").mkdir(parents=True)
            for package in _download(Path(name)):
                _run(["dpkg-deb", "--extract", str(package), str(FOLDER / "root")])
        _write_wrapper(program)
    return program


def _download(folder: Path) -> list[Path]:
    """The package and all that it depends on, by an apt that knows unstable alone and nothing of this machine."""
    (folder / "lists" / "partial").mkdir(parents=True)
    (folder / "archives" / "partial").mkdir(parents=True)
    (folder / "status").touch()
    (folder / "sources.list").write_text(_SOURCE.format(keys=_KEYS, archive=_archive()))
    options = [
        f"Dir::Etc::sourcelist={folder / 'sources.list'}",
        "Dir::Etc::sourceparts=-",
        f"Dir::State::lists={folder / 'lists'}",
        f"Dir::State::status={folder / 'status'}",
        f"Dir::Cache={folder}",
        "Acquire::Languages=none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
        *(["APT::Sandbox::User=root"] if folder.owner() == "root" else []),
    ]
    apt = ["apt-get", *(word for option in options for word in ("-o", option)), "--quiet", "--yes"]
    _run([*apt, "update"])
    _run([*apt, "--download-only", "--no-install-recommends", "install", "pgbackrest"])
    return sorted(path for path in (folder / "archives").glob("*.deb") if _WANTED.fullmatch(path.name))


def _archive() -> str:
    """The address of Debian's packages, as this machine has it."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)"], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    return next(address for address in listed.split() if address.rstrip("/").endswith("/debian"))


def _write_wrapper(program: Path) -> None:
    root = FOLDER / "root"
    program.parent.mkdir(parents=True)
    program.write_text(_WRAPPER.format(root=root, libraries=root / "usr" / "lib" / "x86_64-linux-gnu"))
    program.chmod(0o755)


def _run(argv: list[str]) -> None:
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=_SECONDS)


if __name__ == "__main__":
    sys.stdout.write(f"{find()}\n")
