"""What the test's machine lacks, taken from a stack file: as a compose file of its own, and nothing else in it.

Its kernel has no ESP, so networks cannot be encrypted; and images that are used as they come cannot be had.
"""

from pathlib import Path
from typing import Any

import yaml

from tests.stacks import rendering

_PARTS = ("networks", "services")
_ABSENT = {"deploy": {"mode": "replicated", "replicas": 0}}


def write(stack: str, ours: list[str], folder: Path) -> Path:
    """The file for the stack, where `ours` names the images that there are."""
    path = folder / f"{stack}.lacking.yaml"
    path.write_text(yaml.safe_dump(lacking(read(stack), ours)))
    return path


def read(stack: str) -> dict[str, Any]:
    """Networks, services and version of its files, as they are written."""
    files = [yaml.safe_load((rendering.STACKS / f"{name}.yaml").read_text()) for name in rendering.files(stack)]
    parts = {part: {name: each for file in files for name, each in file[part].items()} for part in _PARTS}
    return {"version": files[0]["version"], **parts}


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
