"""A copy of the scripts with small stacks beside them, and a swarm that a stand-in for `docker` plays."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from tests.stacks import rendering
from tests.stacks.scripts.state import Node, Service, Swarm, Task

CLUSTER_ID: Final = "dGVzdC1jbHVzdGVyLWlkMQ"


class Done(msgspec.Struct):
    """How a script ended, and what it said."""

    status: int
    out: str
    err: str


class Stage:
    """`settings` become deployment.env; `stacks` is the folder of the scripts, `programs` the first on their PATH."""

    def __init__(self, folder: Path, swarm: Swarm, port: int) -> None:
        self.stacks = folder / "stacks"
        self.swarm = swarm
        self.settings = {
            "REGISTRY": rendering.REGISTRY,
            "RELEASE": "app-1",
            "STATEFUL_RELEASE": "data-1",
            "KAFKA_CLUSTER_ID": CLUSTER_ID,
        }
        self.programs = folder / "bin"
        self.programs.mkdir()
        shutil.copy(Path(__file__).with_name("docker"), self.programs)
        shutil.copytree(rendering.STACKS, self.stacks, ignore=shutil.ignore_patterns(".secrets", "deployment.env"))
        self._folder = folder
        self._variables = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "HOME": str(folder),
            "STAND_IN_PORT": str(port),
            "POLL": "0.01",
            "MEMBER_TIMEOUT": "30",
            "STARTING_TIMEOUT": "10",
            "JOBS_TIMEOUT": "30",
            "SERVICES_TIMEOUT": "30",
        }

    @property
    def deployment(self) -> Path:
        return self.stacks / "deployment.env"

    def write_stack(self, name: str, services: dict[str, Any], **parts: Any) -> None:
        """In the place of the real one, or beside it."""
        own, *beside = rendering.files(name)
        content = {"version": rendering.VERSION, "services": services, **parts}
        (self.stacks / f"{own}.yaml").write_text(yaml.safe_dump(content), "utf-8")
        for file in beside:
            empty = {"version": rendering.VERSION, "services": {}}
            (self.stacks / f"{file}.yaml").write_text(yaml.safe_dump(empty), "utf-8")

    def play_deployed(self, name: str) -> None:
        """As if that stack had been deployed with these settings: every task runs."""
        text = (self.stacks / f"{name}.yaml").read_text("utf-8")
        release = self.settings["STATEFUL_RELEASE" if name.startswith("1.") else "RELEASE"]
        stack = rendering.fill_in(name, yaml.safe_load(text), self.settings | {"RELEASE": release})
        for service, definition in stack.services.items():
            state = "complete" if rendering.is_job(definition) else "running"
            played = Service(definition, [Task(self.swarm.new_id(), state, definition)])
            self.swarm.services[f"allezone-{name.partition('.')[2]}_{service}"] = played

    def write_settings(self) -> None:
        text = "".join(f"{name}={value}\n" for name, value in self.settings.items())
        self.deployment.write_text(text, "utf-8")

    def run(self, script: str, *arguments: str, **variables: str) -> Done:
        """A script of the copy."""
        done = subprocess.run(
            [str(self.stacks / script), *arguments],
            env=self._variables | variables,
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Done(done.returncode, done.stdout, done.stderr)


def nodes(*labels: dict[str, str]) -> list[Node]:
    """vm1, vm2 and so on."""
    return [Node(f"node{i}", f"vm{i}", dict(has)) for i, has in enumerate(labels, 1)]


def service(image: str, constraint: str, **keys: Any) -> dict[str, Any]:
    """One of a stack, with one task."""
    deploy = {"replicas": 1, "placement": {"constraints": [f"node.labels.{constraint}"]}}
    return {"image": f"${{REGISTRY}}/allezone-{image}:${{RELEASE}}", "deploy": deploy, **keys}
