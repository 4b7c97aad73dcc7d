"""What the test's machine lacks, taken from a stack file: as a compose file of its own, and nothing else in it.

Its kernel has no ESP, so networks cannot be encrypted; and images that are used as they come cannot be had.
"""

from pathlib import Path
from typing import Any

import yaml

from devstack import paths

_ABSENT = {"deploy": {"mode": "replicated", "replicas": 0}}


def write(stack: str, ours: list[str], folder: Path) -> Path:
    """The file for stacks/STACK.yaml, where `ours` names the images that there are."""
    rendered = yaml.safe_load((paths.PROJECT / "stacks" / f"{stack}.yaml").read_text())
    path = folder / f"{stack}.lacking.yaml"
    path.write_text(yaml.safe_dump(lacking(rendered, ours)))
    return path


def lacking(stack: dict[str, Any], ours: list[str]) -> dict[str, Any]:
    """What is not encrypted, and who is absent, of a stack file that was read."""
    networks = {name: _plain(network) for name, network in stack["networks"].items() if _encrypted(network)}
    absent = [name for name, service in stack["services"].items() if not _is_of(service["image"], ours)]
    return {
        "version": stack["version"],
        "networks": networks,
        "services": {name: _ABSENT for name in absent},
    }


def _encrypted(network: dict[str, Any] | None) -> bool:
    return "encrypted" in ((network or {}).get("driver_opts") or {})


def _plain(network: dict[str, Any]) -> dict[str, Any]:
    options = {name: value for name, value in network["driver_opts"].items() if name != "encrypted"}
    kept = {name: value for name, value in network.items() if name != "driver_opts"}
    return {**kept, "driver_opts": options} if options else kept


def _is_of(image: str, ours: list[str]) -> bool:
    return any(f"/allezone-{name}:" in image for name in ours)
