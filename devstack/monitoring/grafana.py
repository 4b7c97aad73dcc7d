"""Grafana beside `make run`: a program of this machine, or a container of an image that Docker already has."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from devstack import paths, ports, processes, servers, tools, web

CONFIG = paths.PROJECT / "monitoring" / "grafana"
_IMAGES = paths.PROJECT / "stacks" / "images.env"
_DEBIAN_HOME = Path("/usr/share/grafana")
_DOCKER_SECONDS = 20
MISSING = (
    "no Grafana: no dashboards. Put a `grafana` on the PATH (https://grafana.com/grafana/download), or `docker pull` "
    "the image that stacks/images.env names"
)


class Grafana(servers.Server):
    """`told` are environment variables: those that monitoring/grafana/local/ reads."""

    def __init__(self, port: int, log: Path, told: Mapping[str, str]) -> None:
        super().__init__("grafana", log)
        self.port = port
        self._told = {**told, "GF_SERVER_HTTP_ADDR": ports.HOST, "GF_SERVER_HTTP_PORT": str(port)}

    def answers(self) -> bool:
        return web.answers(self.port, "/api/health")


class InstalledGrafana(Grafana):
    """A program on this machine, which keeps its data in `folder`."""

    def __init__(self, program: Path, folder: Path, port: int, log: Path, told: Mapping[str, str]) -> None:
        super().__init__(port, log, told)
        self._program = program
        self._folder = folder

    def command(self) -> processes.Command:
        subcommand = ["server"] if self._program.name == "grafana" else []  # `grafana-server` is an older name of it
        config = CONFIG / "local" / "grafana.ini"
        argv = [str(self._program), *subcommand, f"--homepath={self._home()}", f"--config={config}"]
        placed = {
            "GF_PATHS_DATA": str(self._folder),
            "GF_PATHS_LOGS": str(self._folder / "log"),
            "GF_PATHS_PLUGINS": str(self._folder / "plugins"),
            "GF_PATHS_PROVISIONING": str(CONFIG / "local" / "provisioning"),
            "ALLEZONE_GRAFANA": str(CONFIG),
        }
        return processes.Command(self.name, argv, self.log, env={**os.environ, **self._told, **placed})

    def _home(self) -> Path:
        """The folder of its own files: that of an unpacked archive, else the packages'."""
        unpacked = self._program.resolve().parent.parent
        return unpacked if (unpacked / "conf" / "defaults.ini").exists() else _DEBIAN_HOME


class ContainedGrafana(Grafana):
    """A container of `image`, in the machine's own network: Prometheus listens on loopback alone."""

    def __init__(self, image: str, port: int, log: Path, told: Mapping[str, str]) -> None:
        super().__init__(port, log, told)
        self._image = image
        self._container = f"allezone-grafana-{port}"

    def command(self) -> processes.Command:
        self._remove()  # of a run that was killed
        told = {
            **self._told,
            "ALLEZONE_GRAFANA": "/allezone",
            "GF_PATHS_CONFIG": "/allezone/local/grafana.ini",
            "GF_PATHS_PROVISIONING": "/allezone/local/provisioning",
        }
        argv = ["docker", "run", "--rm", f"--name={self._container}", "--network=host"]
        argv += [f"--volume={CONFIG}:/allezone:ro"]
        argv += [word for name in sorted(told) for word in ("--env", name)]  # by name: arguments can be seen by others
        return processes.Command(self.name, [*argv, self._image], self.log, env={**os.environ, **told})

    def stop(self) -> bool:
        clean = super().stop()
        self._remove()
        return clean

    def _remove(self) -> None:
        _docker("rm", "--force", self._container)


def found(folder: Path, port: int, log: Path, told: Mapping[str, str]) -> Grafana | None:
    """The one that this machine has; None if it has none."""
    program = tools.optional("grafana", "grafana-server")
    if program is not None:
        return InstalledGrafana(Path(program), folder, port, log, told)
    image = _image()
    if _docker("image", "inspect", image):
        return ContainedGrafana(image, port, log, told)
    return None


def _image() -> str:
    lines = dict(line.split("=", 1) for line in _IMAGES.read_text().splitlines() if "_IMAGE=" in line)
    return lines["GRAFANA_IMAGE"]


def _docker(*arguments: str) -> bool:
    """Whether Docker is there, works and did it."""
    if shutil.which("docker") is None:
        return False
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, timeout=_DOCKER_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
