"""The state folder: everything that the system on one machine keeps, and who may touch it."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from devstack import errors


class State:
    """One folder: kafka/, postgres/, workers/, monitoring/, logs/, pids/, the database password, the processes'
    environment and the runner's settings."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.kafka = self.root / "kafka"
        self.postgres = self.root / "postgres"
        self.workers = self.root / "workers"
        self.logs = self.root / "logs"
        self.pids = self.root / "pids"
        self.monitoring = self.root / "monitoring"
        self.environment = self.root / "env"
        self.settings = self.root / "settings.json"  # what `make run` was started with, for what runs beside it
        self._password = self.root / "db-password"
        self._lock = self.root / "lock"

    @property
    def exists(self) -> bool:
        """True if this folder is, or was, used by a runner or for monitoring."""
        return self._lock.exists() or self.monitoring.exists()

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Hold the folder for this process; the kernel gives it back however the process ends.

        Raises errors.StateInUse if another one holds it.
        """
        self.workers.mkdir(parents=True, exist_ok=True)
        with self._held(self._lock, "The system"):
            yield

    @contextmanager
    def monitored(self) -> Iterator[None]:
        """The same for monitoring/ and the processes of monitoring, which come and go beside a runner."""
        self.monitoring.mkdir(parents=True, exist_ok=True)
        with self._held(self.monitoring / "lock", "Monitoring"):
            yield

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def password(self) -> str:
        """The database password: random, made the first time, readable for this account alone."""
        if not self._password.exists():
            if self.postgres.exists():
                reason = f"{self._password} is gone, and {self.postgres} opens with nothing else. `make clean-state`?"
                raise errors.DevstackError(reason)
            self.write_private(self._password, secrets.token_urlsafe(24))
        return self._password.read_text().strip()

    @staticmethod
    def write_private(file: Path, text: str) -> None:
        """Write a file of mode 0600, whole or not at all."""
        unfinished = file.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(text + "\n")
        os.replace(unfinished, file)

    def forget(self) -> None:
        """Remove all of it, by who owns it. By name: STATE_DIR may be a folder that holds other things as well."""
        for folder in (self.kafka, self.postgres, self.workers, self.monitoring, self.logs, self.pids):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self.environment, self.settings, self._password, self._lock):
            file.unlink(missing_ok=True)
        with suppress(OSError):  # other things are in it
            self.root.rmdir()

    @contextmanager
    def _held(self, lock: Path, what: str) -> Iterator[None]:
        for folder in (self.logs, self.pids):
            folder.mkdir(parents=True, exist_ok=True)
        with lock.open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as held:
                file.seek(0)
                reason = f"{what} already runs on {self.root}, started by process {file.read().strip() or '?'}."
                raise errors.StateInUse(reason) from held
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
            yield
