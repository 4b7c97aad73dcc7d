"""What a container is: its image, its rights, its bounds, and how it is watched and ended."""

import re
from collections.abc import Iterator
from typing import Final

from tests.stacks import keys, mounts, processes, rendering
from tests.stacks.durations import seconds, size
from tests.stacks.rendering import Stack

_OWN_IMAGE: Final = re.compile(rf"{re.escape(rendering.REGISTRY)}/allezone-[a-z]+:{rendering.RELEASE}")
_NUMERIC_USER: Final = re.compile(r"([1-9]\d*):([1-9]\d*)")


def images_are_pinned(stack: Stack) -> Iterator[str]:
    """By images.env, or ours by their release."""
    third_party = set(rendering.images().values())
    for name, service in stack.services.items():
        image = service.get("image", "")
        if image not in third_party and not _OWN_IMAGE.fullmatch(image):
            yield f"{name}: {image!r} is neither from images.env nor ours with its release"


def users_are_numbers_and_not_root(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        if not _NUMERIC_USER.fullmatch(str(service.get("user", ""))):
            yield f"{name}: user {service.get('user')!r}, not UID:GID of somebody who is not root"


def roots_are_read_only(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        if service.get("read_only") is not True:
            yield f"{name}: its root file system can be written"


def no_capabilities(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
            yield f"{name}: keeps capabilities"


def logs_are_bounded(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        if not {"max-size", "max-file"} <= service.get("logging", {}).get("options", {}).keys():
            yield f"{name}: its log can fill the disk"


def resources_are_limited(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        resources = service.get("deploy", {}).get("resources", {})
        limits, reserved = resources.get("limits", {}), resources.get("reservations", {})
        if not {"cpus", "memory", "pids"} <= limits.keys() or not {"cpus", "memory"} <= reserved.keys():
            yield f"{name}: lacks a limit of cpus, memory or pids, or a reservation of cpus or memory"
        elif size(limits["memory"]) < size(reserved["memory"]) or float(limits["cpus"]) < float(reserved["cpus"]):
            yield f"{name}: reserves more than its limit"


def health_is_the_processs_own(stack: Stack) -> Iterator[str]:
    """Swarm hides an unhealthy task's name, so a check that asks others keeps a quorum from ever coming up. Which check
    is of the process alone stands in processes.py; another port of the same container may need a quorum to open."""
    for name, service in stack.services.items():
        check = service.get("healthcheck", {})
        if rendering.is_job(service):
            if check != {"disable": True}:
                yield f"{name}: a job ends by itself; a check would kill it"
            continue
        if not {"test", "interval", "timeout", "retries", "start_period"} <= check.keys():
            yield f"{name}: has no whole health check"
            continue
        process = processes.of(name)
        test = " ".join(check["test"])
        if process is None or test != f"CMD {process.health}":
            yield f"{name}: its check is not of its own process alone: {test}"


def stopping_takes_its_time(stack: Stack) -> Iterator[str]:
    """As long as the process needs: Docker's own 10 s, or less, would cut off a checkpoint or a drain."""
    for name, service in stack.services.items():
        process = processes.of(name)
        grace = service.get("stop_grace_period")
        if process is None or grace is None:
            yield f"{name}: nobody says how long it may take to end"
        elif seconds(grace) <= process.ends_within:
            yield f"{name}: is killed after {grace}, and takes up to {process.ends_within:.0f} s"


def descriptors_are_allowed(stack: Stack) -> Iterator[str]:
    """As many as its process needs (processes.py), soft and hard. A service that says nothing has Docker's limits."""
    for name, service in stack.services.items():
        process = processes.of(name)
        allowed = service.get("ulimits", {}).get("nofile", 0)
        lower = min(allowed.values()) if isinstance(allowed, dict) else allowed
        if process is not None and lower < process.descriptors:
            yield f"{name}: may open {lower or 'as many files as Docker lets it'}, and needs {process.descriptors}"


def no_key_is_ignored(stack: Stack) -> Iterator[str]:
    """`docker stack deploy` drops these without an error; see keys.py."""
    for path in keys.ignored(stack.content()):
        yield f"{stack.name}: the key {path}"


def nothing_of_the_host_is_mounted(stack: Stack) -> Iterator[str]:
    """Named volumes and memory alone; docker.sock least of all, which is root on the host."""
    for name, service in stack.services.items():
        for mount in service.get("volumes", []):
            if not mounts.is_memory(mount) and not mounts.is_volume(mount, stack):
                yield f"{name}: mounts {mount}"
