"""The machines of the test: what the script `machines` makes, and the docker of each."""

import os
from pathlib import Path

from devstack import paths
from tests.stacks.swarm import commands

FOLDER = Path("/tmp/allezone-swarm")  # noqa: S108  sockets have short paths; a second run is kept away by a lock
CACHE = paths.CACHE / "swarm"
HOST = "10.88.0.254"
REGISTRY = f"{HOST}:5000"
_SCRIPT = Path(__file__).with_name("machines")


class Machines:
    """`count` machines, of which some may be lost."""

    def __init__(self, count: int, log: Path) -> None:
        self._count, self._log = count, log
        self._lost: set[int] = set()

    @property
    def there(self) -> list[int]:
        """Numbers of those that run."""
        return [number for number in range(1, self._count + 1) if number not in self._lost]

    def up(self) -> None:
        """Start all of them, joined to a swarm. Raises commands.Failed."""
        self._script("up", str(self._count), seconds=120)

    def lose(self, number: int) -> None:
        """The power cord."""
        self._lost.add(number)
        self._script("lose", str(number), seconds=60)

    def back(self, number: int) -> None:
        """Start it on the disk that it had."""
        self._script("return", str(number), seconds=90)
        self._lost.discard(number)

    def down(self) -> None:
        """End and remove all of it, whatever is there. Raises commands.Failed."""
        self._script("down", seconds=300)

    def left(self) -> list[str]:
        """What is there still, a line each."""
        try:
            self._script("left", seconds=60)
        except commands.Failed as failure:
            return str(failure).splitlines()[1:]
        return []

    def docker(self, number: int, *arguments: str, seconds: float = 30) -> str:
        """What the docker of that machine says. Raises commands.Failed."""
        return commands.run(["docker", *arguments], seconds=seconds, environment=environment(number))

    def _script(self, *arguments: str, seconds: float) -> None:
        variables = {**os.environ, "FOLDER": str(FOLDER), "CACHE": str(CACHE)}
        commands.run([_SCRIPT, *arguments], seconds=seconds, environment=variables, log=self._log)


def address(number: int) -> str:
    """That of a machine."""
    return f"10.88.0.{number}"


def process(number: int) -> int:
    """The id of its docker's process, which is in its network."""
    return int((FOLDER / f"vm{number}" / "pid").read_text())


def environment(number: int | None = 1) -> dict[str, str]:
    """For a command to reach the docker of a machine; None: the one that builds."""
    folder = FOLDER / ("build" if number is None else f"vm{number}")
    return {**os.environ, "DOCKER_HOST": f"unix://{folder}/docker.sock"}
