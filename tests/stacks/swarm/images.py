"""The images: stand-ins for what we build on, and ours, from their own Dockerfiles, in the machines' registry.

What was built stays in machines.CACHE: a second run builds what has changed.
"""

import hashlib
import os
import sysconfig
from pathlib import Path

from devstack import jars, paths
from tests.stacks.swarm import commands, machines

STANDINS = Path(__file__).with_name("standins")
OURS = "application kafka postgres etcd haproxy"  # aerospike has no stand-in
BUILD = paths.PROJECT / "stacks" / "build"
_SECONDS = 900


def make(release: str, log: Path) -> None:
    """Stand-ins where they are not there as they are to be, then ours, pushed as `release`. Raises commands.Failed."""
    stamp, wanted = machines.CACHE / "standins", _inputs()
    if not stamp.exists() or stamp.read_text() != wanted:
        variables = {"PACKAGES": sysconfig.get_path("purelib"), "JARS": str(jars.ensure()), "AGENT": str(jars.agent())}
        environment = machines.environment(None) | variables
        commands.run(["nice", STANDINS / "make"], seconds=_SECONDS, environment=environment, log=log)
        stamp.write_text(wanted)
    build(release, log)


def build(release: str, log: Path, names: str = OURS) -> None:
    """Ours, by stacks/build, pushed. Raises commands.Failed."""
    # Stand-ins have no digests; Debian's daemon has no BuildKit; the build's steps reach what this machine reaches.
    chosen = {"ALLOW_UNPINNED": "yes", "DOCKER_BUILDKIT": "0", "NETWORK": "host", "IMAGES": names}
    environment = machines.environment(None) | chosen | {"REGISTRY": machines.REGISTRY, "RELEASE": release}
    commands.run(["nice", BUILD, "--push"], seconds=_SECONDS, environment=environment, log=log)


def third_party(variable: str, log: Path) -> str:
    """images.env with one image that lies in the machines' registry: a stand-in that no Dockerfile of ours is built on.
    Raises commands.Failed."""
    lines = (BUILD.parent / "images.env").read_text().splitlines()
    [line] = [line for line in lines if line.startswith(f"{variable}=")]
    name = line.split("=", 1)[1].split("@")[0]
    pushed = f"{machines.REGISTRY}/standin-{name.replace('/', '-')}"
    for command in (["tag", name, pushed], ["push", pushed]):
        commands.run(["docker", *command], seconds=120, environment=machines.environment(None), log=log)
    return "\n".join(f"{variable}={pushed}" if each == line else each for each in lines) + "\n"


def broken(release: str, name: str, log: Path) -> str:
    """The full name of a pushed application image whose gateway is not there. Raises commands.Failed."""
    image = f"{machines.REGISTRY}/allezone-application"
    dockerfile = f"FROM {image}:{release}\nUSER root\nRUN rm -r /opt/allezone/gateway\nUSER 10001:10001\n"
    environment = machines.environment(None) | {"DOCKER_BUILDKIT": "0"}
    build_it = ["docker", "build", "--network", "none", "--tag", f"{image}:{name}", "-"]
    commands.run(build_it, seconds=60, environment=environment, log=log, said=dockerfile)
    commands.run(["docker", "push", f"{image}:{name}"], seconds=60, environment=environment, log=log)
    return f"{image}:{name}"


def _inputs() -> str:
    """A digest of what the stand-ins are made of."""
    digest = hashlib.sha256(f"{jars.version()} {os.environ.get('PIP_CERT', '')}".encode())
    lock = paths.PROJECT / "requirements-local.lock"
    for path in [lock, jars.POM, paths.PROJECT / "stacks" / "images.env", *sorted(STANDINS.iterdir())]:
        digest.update(path.read_bytes())
    return digest.hexdigest()
