"""The whole system, as `make run` brings it up, in a folder of its own and on free ports."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGTERM

from pydantic import SecretStr

from devstack import layout, paths, pids, ports, processes, stack, waiting
from devstack.settings import DevstackSettings
from devstack.state import State
from runtime.settings import DatabaseSettings
from tests.support import services

READY_SECONDS = 120.0


class System:
    """One runner (`python -m devstack run`) with its processes. `environment` is set for all of them."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.settings = _settings(folder, environment)
        self.state = State(self.settings.state_dir)
        self.url = f"http://{ports.HOST}:{self.settings.gateway_port}"
        self.names = ["kafka", "postgres", *(place.name for place in layout.applications(self.settings))]
        self.log = folder / "runner.log"
        self.environment = {**os.environ, **environment, **_as_environment(self.settings)}
        self._runner: processes.Process | None = None

    def start(self) -> None:
        """Start the runner; see wait_ready()."""
        argv = [sys.executable, "-m", "devstack", "run"]
        self.log.unlink(missing_ok=True)
        self._runner = processes.Process(
            processes.Command("runner", argv, self.log, cwd=paths.PROJECT, env=self.environment)
        )

    def wait_ready(self) -> None:
        """Wait until the runner has said that everything is ready."""
        said = waiting.until(lambda: "ready after" in self.said() or not self.running, READY_SECONDS)
        assert said and self.running, f"the system is not ready:\n{self.said()}"  # noqa: PT018 - one reason, one text

    def said(self) -> str:
        """What the runner has printed since its start."""
        return self.log.read_text() if self.log.exists() else ""

    @property
    def running(self) -> bool:
        return self._runner is not None and self._runner.running

    @property
    def status(self) -> int | None:
        """The runner's exit status; None while it runs."""
        return self._runner.returncode if self._runner else None

    def stop(self) -> None:
        """Ask the runner to end and wait until it has."""
        self.send(SIGTERM)
        assert waiting.until(lambda: not self.running, 90), f"the runner does not end:\n{self.said()}"

    def send(self, number: int) -> None:
        """Send the runner a signal."""
        if self._runner is not None and self._runner.running:
            os.kill(self._runner.pid, number)

    def kill_runner(self) -> None:
        """End the runner as a power cut would; its processes get SIGTERM from the kernel."""
        assert self._runner is not None
        self._runner.kill()

    def pid(self, name: str) -> int | None:
        """The process id of one of `names`, if it runs."""
        return pids.PidFile(self.state.pids, name).read()

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `python -m ARGUMENTS` as a person would beside the running system."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=paths.PROJECT,
            env={**self.environment, **self.connections()},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def connections(self) -> dict[str, str]:
        """What the processes find Kafka and PostgreSQL by, as environment variables."""
        return stack.Stack(self.settings, print).environment()

    def database(self) -> DatabaseSettings:
        found = self.connections()
        return DatabaseSettings(
            db_host=found["DB_HOST"],
            db_port=int(found["DB_PORT"]),
            db_name=found["DB_NAME"],
            db_user=found["DB_USER"],
            db_password=SecretStr(found["DB_PASSWORD"]),
        )


@contextmanager
def running(**environment: str) -> Iterator[System]:
    """A ready system; stopped, and its folder removed, afterwards. Settings of any process may be given by name."""
    with services.required(), services.folder("system") as folder:
        system = System(folder, **environment)
        try:
            system.start()
            system.wait_ready()
            yield system
        finally:
            system.stop()


def _settings(folder: Path, environment: dict[str, str]) -> DevstackSettings:
    """As `environment` says, on free ports, with its state in `folder`."""
    counts = {name: int(environment.get(name.upper(), 1)) for name in _PORTS.values()}
    free = {port: ports.reserve(max(1, counts[count])) for port, count in _PORTS.items()}
    servers = {name: ports.reserve() for name in ("kafka_port", "kafka_controller_port", "db_port")}
    return DevstackSettings.model_validate({"state_dir": folder / "state", **counts, **free, **servers})


_PORTS = {"gateway_port": "gateways", "aggregates_port": "aggregates_workers", "profiles_port": "profiles_workers"}


def _as_environment(settings: DevstackSettings) -> dict[str, str]:
    names = ["state_dir", *_PORTS, *_PORTS.values(), "kafka_port", "kafka_controller_port", "db_port"]
    return {name.upper(): str(getattr(settings, name)) for name in names}
