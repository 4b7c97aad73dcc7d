"""What an operator does, by the project's own scripts: labels, secrets, a certificate, a token, both stacks."""

import os
import sys
from pathlib import Path

from devstack import paths
from tests.stacks.swarm import commands, images, machines, overrides

STATEFUL, STATELESS = "allezone-stateful", "allezone-stateless"
_HERE = Path(__file__).parent
_STACKS = paths.PROJECT / "stacks"
_EDGES = (1, 2)


class Deployment:
    """`folder` gets deployment.env, the certificate and the tokens."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder, self._log = folder, log
        self.certificate = folder / "certificate.pem"
        self.token = ""

    def prepare(self, release: str) -> None:
        """Labels and secrets. Raises commands.Failed."""
        self.settings(RELEASE=release, STATEFUL_RELEASE=release)
        self._script("label-nodes", _HERE / "test.nodes")
        self._script("secrets", "make")
        self._script("secrets", "file", "edge_certificate", "v1", self._certificate())
        tokens = self._folder / "tokens"
        make: list[str | Path] = [
            sys.executable,
            "-m",
            "gateway",
            "make-token",
            "test",
            "--scopes",
            "write,read,admin",
            "--file",
            tokens,
        ]
        self.token = commands.run(make, seconds=30).strip()
        self._script("secrets", "file", "gateway_tokens", "v1", tokens)
        # Nobody is told by it: the Alertmanager's image is one of those that the machine lacks.
        self._script("secrets", "file", "alertmanager", "v1", _HERE / "alertmanager.yml")

    def settings(self, **changed: str) -> None:
        """Write deployment.env: the test's own, what was there, and what has changed since."""
        path = self._folder / "deployment.env"
        lines = path if path.exists() else _HERE / "deployment.env"
        kept = [line for line in lines.read_text().splitlines() if line.split("=")[0] not in {*changed, "REGISTRY"}]
        new = [f"{name}={value}" for name, value in {"REGISTRY": machines.REGISTRY, **changed}.items()]
        path.write_text("\n".join([*kept, *new]) + "\n")

    def deploy(self, stack: str, *more: str, seconds: float, only: str | None = None) -> None:
        """1.stateful or 2.stateless, or `only` one service of it, without what the machine lacks, and with `more` files
        of here. Raises Failed."""
        lacking = overrides.write(stack, images.OURS.split(), self._folder)
        chosen = ["--only", only] if only else []
        self._script("deploy", stack, *chosen, lacking, *(_HERE / name for name in more), seconds=seconds)

    def remove(self) -> None:
        """Both stacks, the stateless one first. Raises commands.Failed."""
        for stack in (STATELESS, STATEFUL):
            commands.run(
                ["docker", "stack", "rm", stack], seconds=120, environment=machines.environment(), log=self._log
            )

    def _certificate(self) -> Path:
        """One of its own for the edges' addresses, in a file with its key."""
        key, both = self._folder / "key.pem", self._folder / "edge.pem"
        names = ",".join(f"IP:{machines.address(edge)}" for edge in _EDGES)
        kind = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
        files: list[str | Path] = ["-addext", f"subjectAltName={names}", "-keyout", key, "-out", self.certificate]
        commands.run(["openssl", *kind.split(), *files], seconds=30)
        both.write_text(self.certificate.read_text() + key.read_text())
        return both

    def _script(self, name: str, *arguments: str | Path, seconds: float = 120) -> None:
        environment = machines.environment() | {"DEPLOYMENT": str(self._folder / "deployment.env")}
        commands.run([_STACKS / name, *arguments], seconds=seconds, environment=environment, log=self._log)


def edge() -> str:
    """The address that the test's clients use."""
    return machines.address(_EDGES[0])


def environment_is_free() -> None:
    """Raises RuntimeError where a variable of this environment would change what is deployed."""
    names = [line.split("=")[0] for line in (_HERE / "deployment.env").read_text().splitlines() if "=" in line]
    named = [name for name in (*names, "REGISTRY", "RELEASE", "DEPLOYMENT") if name in os.environ]
    if named:
        message = f"unset {', '.join(named)}: deployment.env says what is deployed"
        raise RuntimeError(message)
