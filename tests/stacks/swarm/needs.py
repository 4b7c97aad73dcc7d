"""What the test needs of the machine: Debian's packages, installed where they are missing, and a docker client.

The client must be new enough for our scripts.
"""

import os
import shutil
from pathlib import Path

from tests.stacks import rendering
from tests.stacks.swarm import commands, machines

_PACKAGES = {
    "dockerd": "docker.io",
    "docker-registry": "docker-registry",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "iptables": "iptables",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "java": "default-jre-headless",
    "mvn": "maven",
}
_CLIENT_RELEASE = "trixie"  # its docker-cli is 26; Debian 12's own is 20.10, without `docker stack config`


class Lacking(Exception):
    """The machine lacks something that cannot be installed; the message names it."""


def provide(log: Path) -> None:
    """Raises Lacking."""
    if os.geteuid() != 0:
        message = "root is needed: machines are network namespaces, and each has a dockerd"
        raise Lacking(message)
    missing = sorted({package for program, package in _PACKAGES.items() if shutil.which(program) is None})
    if missing:
        _install(missing, log)
    client = machines.CACHE / "client"
    os.environ["PATH"] = f"{client / 'usr' / 'bin'}:{os.environ['PATH']}"
    if not reads_the_stacks():
        _fetch_client(client, log)
    if not reads_the_stacks():
        message = f"no docker client that reads the stacks ({rendering.OLDEST_CLIENT} or newer)"
        raise Lacking(message)


def reads_the_stacks() -> bool:
    """Whether the first `docker` on the PATH renders what is to be deployed: one that has `stack config` may still
    refuse the version of the files."""
    environment = {**os.environ, **rendering.environment()}
    try:
        for name in [each for stack in rendering.CLUSTER for each in rendering.files(stack)]:
            file = rendering.STACKS / f"{name}.yaml"
            commands.run(["docker", "stack", "config", "--compose-file", file], seconds=20, environment=environment)
    except (commands.Failed, OSError):
        return False
    return True


def _install(packages: list[str], log: Path) -> None:
    if shutil.which("apt-get") is None:
        message = f"not Debian, and these packages of Debian's are missing: {', '.join(packages)}"
        raise Lacking(message)
    # RUNLEVEL: their services are not started, the test starts what it needs.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    try:
        commands.run(["apt-get", "update", "--quiet"], seconds=120, environment=environment, log=log)
        commands.run(install, seconds=600, environment=environment, log=log)
    except commands.Failed as failure:
        message = f"missing, and not to be installed: {', '.join(packages)}. {failure}"
        raise Lacking(message) from failure


def _fetch_client(client: Path, log: Path) -> None:
    """The newer Debian's client, unpacked into `client` and not installed."""
    folder = client / "apt"
    for part in ("lists/partial", "archives/partial"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    sources = folder / "sources.list"
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    sources.write_text(f"deb [signed-by={keys}] http://deb.debian.org/debian {_CLIENT_RELEASE} main\n")
    options = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": folder / "lists",
        "Dir::Cache": folder,
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "--quiet", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
    try:
        commands.run([*apt, "update"], seconds=120, log=log)
        # `download` writes into the current folder.
        commands.run(["env", f"--chdir={folder}", *apt, "download", "docker-cli"], seconds=120, log=log)
        commands.run(["dpkg-deb", "--extract", *folder.glob("docker-cli_*.deb"), client], seconds=60, log=log)
    except commands.Failed as failure:
        message = f"docker-cli of Debian {_CLIENT_RELEASE} cannot be had. {failure}"
        raise Lacking(message) from failure
    shutil.rmtree(folder)
