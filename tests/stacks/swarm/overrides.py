"""What the test's machine lacks, taken from a stack file: as a compose file of its own, and nothing else in it.

Its kernel has no ESP, so networks cannot be encrypted; images that are used as they come cannot be had; and where root
may not raise limits, no container may open more files than root itself.
"""

import resource
from pathlib import Path
from typing import Any

import yaml

from tests.stacks import rendering

_PARTS = ("networks", "services")
_ABSENT = {"deploy": {"mode": "replicated", "replicas": 0}}
_RAISES_LIMITS = 1 << 24  # CAP_SYS_RESOURCE


def write(stack: str, ours: list[str], folder: Path) -> Path:
    """The file for the stack, where `ours` names the images that there are."""
    path = folder / f"{stack}.lacking.yaml"
    rendered = read(stack)
    found = lacking(rendered, ours)
    for name, service in fewer_files(rendered, most_files())["services"].items():
        found["services"].setdefault(name, service)
    path.write_text(yaml.safe_dump(found))
    return path


def write_fewer_files(stack: str, folder: Path) -> Path:
    """The file for a stack whose images are all there and whose networks are plain."""
    path = folder / f"{stack}.lacking.yaml"
    path.write_text(yaml.safe_dump(fewer_files(read(stack), most_files())))
    return path


def most_files() -> int | None:
    """How many a container may open here; None: as many as its stack file says."""
    [effective] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff:")]
    if int(effective.split()[1], 16) & _RAISES_LIMITS:
        return None
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def fewer_files(stack: dict[str, Any], most: int | None) -> dict[str, Any]:
    """Who is to open more files than `most`, with that many. HAProxy starts with those that its connections need alone,
    so the edge has fewer connections: two files each, and some beside."""
    named = {name: service["ulimits"]["nofile"] for name, service in stack["services"].items() if "ulimits" in service}
    services: dict[str, Any] = {
        name: {"ulimits": {"nofile": most}} for name, files in named.items() if most is not None and files > most
    }
    if "edge" in services and most is not None:
        services["edge"]["command"] = [*stack["services"]["edge"]["command"], "-n", str(most * 2 // 5)]
    return {"version": stack["version"], "services": services}


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
