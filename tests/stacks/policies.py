"""What must hold of every service and every file: functions from a rendered stack to sentences about what breaks it.

`EVERYWHERE` holds of all files, `IN_A_CLUSTER` of those that run on many machines. test_policies.py applies them, and
test_planted.py shows of each that it can fail.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.stacks import keys, rendering
from tests.stacks.durations import seconds, size
from tests.stacks.rendering import Stack

Policy = Callable[[Stack], Iterator[str]]

_OWN_IMAGE: Final = re.compile(rf"{re.escape(rendering.REGISTRY)}/allezone-[a-z]+:{rendering.RELEASE}")
_SECRET_NAME: Final = re.compile(r"PASSW|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY", re.IGNORECASE)
_NO_SECRETS: Final = {"ETCD_INITIAL_CLUSTER_TOKEN"}  # keeps two clusters apart by mistake, not by secrecy
_NUMERIC_USER: Final = re.compile(r"([1-9]\d*):([1-9]\d*)")
_VERSIONED: Final = re.compile(r"allezone_[a-z_]+_v\d+")
_DEPENDENT: Final = re.compile(r"readyz|readiness|/primary|/replica|/leader|endpoint health|curl|wget")
_LABEL: Final = re.compile(r"node\.labels\.(\w+) == ([\w.-]+)")


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
    """Swarm hides an unhealthy task's name, so a check that asks others keeps a quorum from ever coming up."""
    for name, service in stack.services.items():
        check = service.get("healthcheck", {})
        if rendering.is_job(service):
            if check != {"disable": True}:
                yield f"{name}: a job ends by itself; a check would kill it"
            continue
        test = " ".join(check.get("test", []))
        if not test.startswith("CMD ") or not {"interval", "timeout", "retries", "start_period"} <= check.keys():
            yield f"{name}: has no whole health check"
        elif _DEPENDENT.search(test) or any(re.search(rf"\b{other}\b", test) for other in stack.services):
            yield f"{name}: its health depends on others: {test}"


def stopping_takes_its_time(stack: Stack) -> Iterator[str]:
    """Docker's own 10 s would cut off a checkpoint or a drain."""
    for name, service in stack.services.items():
        if "stop_grace_period" not in service:
            yield f"{name}: has no stop_grace_period"


def no_key_is_ignored(stack: Stack) -> Iterator[str]:
    """`docker stack deploy` drops these without an error; see keys.py."""
    for key in stack.other.keys() - keys.TOP_LEVEL:
        yield f"{stack.name}: the key {key}"
    for name, service in stack.services.items():
        for path in keys.ignored(service):
            yield f"{name}: the key {path}"


def secrets_are_files(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        own = {_secret_path(secret) for secret in service.get("secrets", [])}
        for variable, value in service.get("environment", {}).items():
            if re.search(r"://[^/@\s]+:[^/@\s]+@", str(value)):
                yield f"{name}: {variable} holds a password in an address"
            if not _SECRET_NAME.search(variable) or variable in _NO_SECRETS:
                continue
            if not variable.endswith("_FILE"):
                yield f"{name}: {variable} is in the environment, where `docker inspect` shows it"
            elif value not in own:
                yield f"{name}: {variable} names {value}, which is no secret of this service"


def secrets_have_owners_and_uses(stack: Stack) -> Iterator[str]:
    used = {_secret_source(secret) for service in stack.services.values() for secret in service.get("secrets", [])}
    for name in sorted(used ^ stack.secrets.keys()):
        yield f"secret {name}: is used and not declared, or declared and not used"


def only_the_edge_publishes_ports(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        if service.get("ports") and name != "edge":
            yield f"{name}: publishes ports"


def nothing_of_the_host_is_mounted(stack: Stack) -> Iterator[str]:
    """Named volumes and memory alone; docker.sock least of all, which is root on the host."""
    for name, service in stack.services.items():
        for mount in service.get("volumes", []):
            if not _is_tmpfs(mount) and not _is_named_volume(mount, stack):
                yield f"{name}: mounts {mount}"


def networks_are_chosen(stack: Stack) -> Iterator[str]:
    """A service that names none is on a network that everything shares."""
    for name, service in stack.services.items():
        chosen = set(service.get("networks") or [])
        if not chosen:
            yield f"{name}: chooses no network"
        for network in chosen - stack.networks.keys():
            yield f"{name}: is on {network}, which is not declared"


def networks_hold_only_who_needs_them(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        for network in service.get("networks") or []:
            if not re.fullmatch(keys.MEMBERS.get(network, ""), name):
                yield f"{name}: is on the network {network}, whose members are {keys.MEMBERS.get(network)}"


def networks_are_closed(stack: Stack) -> Iterator[str]:
    for name, network in stack.networks.items():
        if not network.get("external") and not network.get("internal") and name != "public":
            yield f"network {name}: is open to the outside"


def networks_are_encrypted(stack: Stack) -> Iterator[str]:
    for name, network in stack.networks.items():
        if not network.get("external") and network.get("driver_opts", {}).get("encrypted") != "true":
            yield f"network {name}: goes over the wire as it is"


def secrets_are_dockers_and_versioned(stack: Stack) -> Iterator[str]:
    for name, secret in stack.secrets.items():
        if not secret.get("external") or not _VERSIONED.fullmatch(secret.get("name", "")):
            yield f"secret {name}: is not external with a version in its name"


def updates_are_rolled_back(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        deploy = service.get("deploy", {})
        update, back = deploy.get("update_config", {}), deploy.get("rollback_config", {})
        if rendering.is_job(service):
            if update or back or deploy.get("restart_policy", {}).get("condition") != "on-failure":
                yield f"{name}: a job takes no update policy, and is tried again on failure"
            continue
        if update.get("failure_action") != "rollback" or "parallelism" not in update or "order" not in back:
            yield f"{name}: lacks update_config with rollback, or rollback_config"
            continue
        alone = service.get("ports") or any(_is_named_volume(mount, stack) for mount in service.get("volumes", []))
        if alone and "stop-first" not in {update["order"]} & {back["order"]}:
            yield f"{name}: two at a time would share a volume or a port, so it is stopped first"
        if seconds(update["monitor"]) <= seconds(service["healthcheck"]["start_period"]):
            yield f"{name}: is watched for less than its start may take"
        if deploy.get("restart_policy", {}).get("condition") != "any":
            yield f"{name}: is not started again whenever it ends"


def services_are_placed(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        deploy = service.get("deploy", {})
        placement = deploy.get("placement", {})
        if not any(_LABEL.fullmatch(constraint) for constraint in placement.get("constraints", [])):
            yield f"{name}: no label says where it runs"
        most = placement.get("max_replicas_per_node", 0)
        start_first = deploy.get("update_config", {}).get("order") == "start-first"
        if most < (deploy.get("replicas", 1) + 1 if start_first else 1):
            yield f"{name}: with one node left there is no room for all, and one more while updating"


def data_has_one_home(stack: Stack) -> Iterator[str]:
    """A service with a volume is one task, on the one node whose label is its own name."""
    for name, service in stack.services.items():
        if not any(_is_named_volume(mount, stack) for mount in service.get("volumes", [])):
            continue
        labels = dict(labels_of(service))
        if name not in labels.values() or not labels.keys() & {"service", "etcd"}:
            yield f"{name}: has data and no node of its own"
        if service["deploy"].get("replicas") != 1 or service.get("hostname") != name:
            yield f"{name}: has data and is not one task with a name"


def databases_share_no_node(stack: Stack) -> Iterator[str]:
    """A node has one value of the label `service`, so two different ones are two nodes."""
    homes = Counter(dict(labels_of(service)).get("service") for service in stack.services.values())
    for home, many in homes.items():
        if home is not None and many > 1:
            yield f"{home}: is the node of {many} services"


def names_are_addresses_of_tasks(stack: Stack) -> Iterator[str]:
    """A virtual address forgets connections that are idle for 15 minutes, as those of pools are."""
    for name, service in stack.services.items():
        if service.get("deploy", {}).get("endpoint_mode") != "dnsrr":
            yield f"{name}: has a virtual address"
        if any(not isinstance(port, dict) or port.get("mode") != "host" for port in service.get("ports", [])):
            yield f"{name}: publishes through the ingress network, which hides the client's address"


def labels_of(service: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each label that the service's node must have, and its value."""
    for constraint in service.get("deploy", {}).get("placement", {}).get("constraints", []):
        if found := _LABEL.fullmatch(constraint):
            yield found[1], found[2]


EVERYWHERE: Final[tuple[Policy, ...]] = (
    images_are_pinned,
    users_are_numbers_and_not_root,
    roots_are_read_only,
    no_capabilities,
    logs_are_bounded,
    resources_are_limited,
    health_is_the_processs_own,
    stopping_takes_its_time,
    no_key_is_ignored,
    secrets_are_files,
    secrets_have_owners_and_uses,
    only_the_edge_publishes_ports,
    nothing_of_the_host_is_mounted,
    networks_are_chosen,
    networks_hold_only_who_needs_them,
    networks_are_closed,
)
IN_A_CLUSTER: Final[tuple[Policy, ...]] = (
    networks_are_encrypted,
    secrets_are_dockers_and_versioned,
    updates_are_rolled_back,
    services_are_placed,
    data_has_one_home,
    databases_share_no_node,
    names_are_addresses_of_tasks,
)


def _secret_source(secret: str | dict[str, Any]) -> str:
    return secret if isinstance(secret, str) else str(secret["source"])


def _secret_path(secret: str | dict[str, Any]) -> str:
    return f"/run/secrets/{secret if isinstance(secret, str) else secret.get('target', secret['source'])}"


def _is_tmpfs(mount: str | dict[str, Any]) -> bool:
    return isinstance(mount, dict) and mount.get("type") == "tmpfs" and "size" in mount.get("tmpfs", {})


def _is_named_volume(mount: str | dict[str, Any], stack: Stack) -> bool:
    source = mount.split(":")[0] if isinstance(mount, str) else mount.get("source")
    return source in stack.volumes
