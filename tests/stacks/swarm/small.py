"""stacks/small.yaml by its own instructions: secrets and settings, `stack deploy` on one node, an event at
https://localhost:8443."""

import shutil
import time
from pathlib import Path
from typing import Any

from tests.stacks.swarm import cluster, commands, images, inside, machines, overrides, probe, stage

_STACK = "small"
_PORT = 8443
_MACHINE = stage.COUNT
_FILES = ("small.yaml", "small-secrets", "images.env")
_DEPLOY = 'set -a; . "$1"; set +a; exec docker stack deploy --resolve-image never -c "$2" -c "$3" "$4"'


def deploy(on: stage.Stage) -> dict[str, Any]:
    """On the last machine, which leaves the others and is a swarm of its own."""
    on.machines.docker(_MACHINE, "swarm", "leave", "--force")
    on.machines.docker(_MACHINE, "swarm", "init", "--advertise-addr", machines.address(_MACHINE))
    folder = _copy(on)
    token = _secrets(on, folder)
    start = time.monotonic()
    lacking = overrides.write_fewer_files("small", folder)
    settings = folder / ".secrets" / "settings.env"
    _run(on, ["bash", "-c", _DEPLOY, "deploy", settings, folder / "small.yaml", lacking, _STACK])
    alone = cluster.Cluster(on.machines, _MACHINE)
    alone.wait_whole(300, _STACK)
    whole = time.monotonic() - start
    certificate = folder / ".secrets" / "certificate.pem"
    asked = probe.Probe(certificate, token, "localhost", lambda: inside.connection(machines.process(_MACHINE), _PORT))
    asked.counted(90)
    counted = time.monotonic() - start
    services = len(alone.counts(_STACK))
    _run(on, ["docker", "stack", "rm", _STACK])
    return {"services": services, "whole_seconds": round(whole, 1), "counted_seconds": round(counted, 1)}


def _copy(on: stage.Stage) -> Path:
    """The files as a laptop has them: what is made beside them is not to lie in the project's own folder."""
    folder = on.folder / "small"
    folder.mkdir()
    for name in _FILES:
        shutil.copy(images.BUILD.parent / name, folder)
    (folder / "images.env").write_text(images.third_party("POSTGRES_IMAGE", on.log))
    return folder


def _secrets(on: stage.Stage, folder: Path) -> str:
    """The token that the script shows."""
    said = _run(on, [folder / "small-secrets"], REGISTRY=machines.REGISTRY, RELEASE=on.release)
    [shown] = [line for line in said.splitlines() if line.startswith("token: ")]
    return shown.removeprefix("token: ")


def _run(on: stage.Stage, command: list[str | Path], **variables: str) -> str:
    environment = machines.environment(_MACHINE) | variables
    return commands.run(command, seconds=180, environment=environment, log=on.log)
