"""What is mounted into a container: memory, named volumes, and what must not be."""

from typing import Any

from tests.stacks.rendering import Stack

Mount = str | dict[str, Any]


def is_memory(mount: Mount) -> bool:
    """A bounded tmpfs, in the one form that is not dropped."""
    return isinstance(mount, dict) and mount.get("type") == "tmpfs" and "size" in mount.get("tmpfs", {})


def is_volume(mount: Mount, stack: Stack) -> bool:
    """A volume that the stack declares."""
    source = mount.split(":")[0] if isinstance(mount, str) else mount.get("source")
    return source in stack.volumes


def has_volume(service: dict[str, Any], stack: Stack) -> bool:
    return any(is_volume(mount, stack) for mount in service.get("volumes", []))
