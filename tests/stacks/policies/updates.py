"""How a new version takes an old one's place, and how it goes back."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from tests.stacks import mounts, rendering
from tests.stacks.durations import seconds
from tests.stacks.rendering import Stack


def updates_are_rolled_back(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        complaints = _of_a_job(service) if rendering.is_job(service) else _of_a_service(service, stack)
        for complaint in complaints:
            yield f"{name}: {complaint}"


def configs_are_named_by_their_content(stack: Stack) -> Iterator[str]:
    """A config cannot be changed: a deployment that brings another content under the same name fails, and so would the
    one that goes back."""
    used = {each["source"] for service in stack.services.values() for each in service.get("configs", [])}
    for name in sorted(used ^ stack.configs.keys()):
        yield f"config {name}: is used and not declared, or declared and not used"
    for name, config in stack.configs.items():
        path = rendering.STACKS / config.get("file", "")
        if not path.is_file():
            yield f"config {name}: there is no file {config.get('file')}"
            continue
        named = f"allezone_{name}_{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
        if config.get("name") != named:
            yield f"config {name}: is to be named {named}"


def _of_a_job(service: Mapping[str, Any]) -> Iterator[str]:
    deploy = service.get("deploy", {})
    if deploy.get("update_config") or deploy.get("rollback_config"):
        yield "a job takes no update policy"
    if deploy.get("restart_policy", {}).get("condition") != "on-failure":
        yield "a job is tried again on failure, and only then"


def _of_a_service(service: dict[str, Any], stack: Stack) -> Iterator[str]:
    deploy = service.get("deploy", {})
    update, back = deploy.get("update_config", {}), deploy.get("rollback_config", {})
    if deploy.get("restart_policy", {}).get("condition") != "any":
        yield "is not started again whenever it ends"
    if not {"parallelism", "order", "delay", "monitor", "failure_action"} <= update.keys():
        yield "lacks a part of update_config"
    elif not {"parallelism", "order", "monitor", "failure_action"} <= back.keys():
        yield "lacks a part of rollback_config"
    else:
        yield from _of_policies(update, back, _told_after(service))
        alone = service.get("ports") or mounts.has_volume(service, stack)
        if alone and {update["order"], back["order"]} != {"stop-first"}:
            yield "two at a time would share a volume or a port, so it is stopped first"
        if mounts.has_volume(service, stack) and update["parallelism"] != 1:
            yield "more than one with data would be away at once"


def _of_policies(update: Mapping[str, Any], back: Mapping[str, Any], told_after: float) -> Iterator[str]:
    if update["failure_action"] != "rollback" or update.get("max_failure_ratio"):
        yield "what fails is not rolled back at once"
    if back["failure_action"] != "pause" or back.get("max_failure_ratio"):
        yield "a way back that fails is not left to people"
    if update["parallelism"] < 1:
        yield "all are replaced at once"
    if {update["order"], back["order"]} - {"start-first", "stop-first"}:
        yield "has no order"
    if min(seconds(update["monitor"]), seconds(back["monitor"])) < told_after:
        yield f"is watched for less than the {told_after:.0f} s after which a start is known to have failed"


def _told_after(service: Mapping[str, Any]) -> float:
    """Seconds until a container that never answers is unhealthy."""
    check = service["healthcheck"]
    return seconds(check["start_period"]) + int(check["retries"]) * seconds(check["interval"])
