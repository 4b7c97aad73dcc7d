"""The stack files as `docker stack deploy` reads them: anchors merged, variables filled in.

`docker stack config` says the same, and test_docker.py holds the two together where there is a docker client; these
tests need none.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

ROOT: Final = Path(__file__).parents[2]
STACKS: Final = ROOT / "stacks"
REGISTRY: Final = "registry.test:5000"
RELEASE: Final = "release-7"
CLUSTER: Final = ("1.stateful", "2.stateless")
"""What a cluster runs: both stacks."""
_BESIDE: Final = {"2.stateless": ("2.monitoring",)}
OLDEST_CLIENT: Final = 23
"""The first docker client with `docker stack config`, which stacks/deploy calls."""
VERSION: Final = "3.10"
"""The newest compose schema that OLDEST_CLIENT knows (docker/cli, cli/compose/schema/data): a client refuses a file of
a newer one whole. 24 brought 3.11, 25 brought 3.12, 27 brought 3.13."""

_PARTS: Final = ("services", "networks", "secrets", "volumes", "configs")

_VARIABLE: Final = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<name>\w+)(?:(?P<rule>:-|:\?|-)(?P<rest>[^}]*))?\})")


class VariableMissing(KeyError):
    """A variable that must be set is not."""


class Stack(msgspec.Struct):
    """One file, rendered. The parts are as YAML has them."""

    name: str
    services: dict[str, dict[str, Any]]
    networks: dict[str, dict[str, Any]]
    secrets: dict[str, dict[str, Any]]
    volumes: dict[str, Any]
    configs: dict[str, dict[str, Any]]
    other: dict[str, Any]

    def content(self) -> dict[str, Any]:
        """The whole file, as YAML has it."""
        parts = {part: getattr(self, part) for part in _PARTS}
        return {**self.other, **parts}


def is_job(service: Mapping[str, Any]) -> bool:
    """Whether a service runs once and ends."""
    return str(service.get("deploy", {}).get("mode", "")).endswith("-job")


def is_global(service: Mapping[str, Any]) -> bool:
    """Whether a service has a task on every node."""
    return str(service.get("deploy", {}).get("mode", "")) == "global"


def images() -> dict[str, str]:
    """What stacks/images.env says."""
    return dict(
        line.split("=", 1)
        for line in (STACKS / "images.env").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    )


def environment() -> dict[str, str]:
    """The variables of a deployment, as stacks/deploy has them."""
    backups = {"BACKUP_BUCKET": "bucket", "BACKUP_ENDPOINT": "s3.test"}
    release = {"REGISTRY": REGISTRY, "RELEASE": RELEASE, "KAFKA_CLUSTER_ID": "dGVzdC1jbHVzdGVyLWlkMQ"}
    return images() | release | backups


def files(name: str) -> tuple[str, ...]:
    """What stacks/deploy deploys as the stack NAME, names of files in that folder."""
    return name, *_BESIDE.get(name, ())


def render(name: str, variables: Mapping[str, str] | None = None, overrides: Sequence[str] = ()) -> Stack:
    """The stack NAME, with files of that folder over it. Raises VariableMissing."""
    content = functools.reduce(_merged, map(_read, [*files(name), *overrides]))
    return fill_in(name, content, environment() if variables is None else variables)


def present(stack: Stack) -> Stack:
    """Without the services that an override takes out."""
    stack.services = {
        name: service for name, service in stack.services.items() if service["deploy"].get("replicas") != 0
    }
    return stack


def fill_in(name: str, read: Mapping[str, Any], variables: Mapping[str, str]) -> Stack:
    """What was read of a file, with its variables. Raises VariableMissing."""
    content = _interpolate(read, variables)
    parts = {part: content.pop(part, None) or {} for part in _PARTS}
    return Stack(name=name, **parts, other={key: part for key, part in content.items() if not key.startswith("x-")})


def render_cluster() -> Stack:
    """Both files as one. A network that the second finds and the first makes is the one that is made."""
    first, second = (render(name) for name in CLUSTER)
    found = {
        name
        for name, network in second.networks.items()
        if network.get("external") and network.get("name") == first.networks.get(name, {}).get("name")
    }
    second.networks = {name: network for name, network in second.networks.items() if name not in found}
    parts = {part: {**getattr(first, part), **getattr(second, part)} for part in _PARTS}
    return Stack(name="cluster", **parts, other=first.other)


@functools.cache
def _read(name: str) -> dict[str, Any]:
    """Read once a run. Nobody changes it: what is filled in is made anew."""
    content: dict[str, Any] = yaml.safe_load((STACKS / f"{name}.yaml").read_text("utf-8"))
    return content


def _merged(below: Any, above: Any, key: str = "") -> Any:
    """As docker's client lays one file over another (test_docker.py): who is on a network stays there, the rest of the
    lists are replaced."""
    if isinstance(below, dict) and isinstance(above, dict):
        return below | {name: _merged(below.get(name), value, name) for name, value in above.items()}
    if below and key in {"networks", "secrets", "configs"}:
        return [*below, *above]
    return above


def _interpolate(part: Any, variables: Mapping[str, str]) -> Any:
    """Values, not keys."""
    match part:
        case dict():
            return {key: _interpolate(value, variables) for key, value in part.items()}
        case list():
            return [_interpolate(value, variables) for value in part]
        case str():
            return _VARIABLE.sub(lambda found: _value(found, variables), part)
        case _:
            return part


def _value(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found["dollar"]:
        return "$"
    name, rule, rest = found["name"], found["rule"], found["rest"]
    if variables.get(name) or (rule == "-" and name in variables):
        return variables[name]
    if rule in {":-", "-"}:
        return str(rest)
    raise VariableMissing(name)
