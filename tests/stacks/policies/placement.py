"""On which nodes things run."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.stacks import mounts, rendering
from tests.stacks.rendering import Stack

_LABEL: Final = re.compile(r"node\.labels\.(\w+) == ([\w.-]+)")
_IDENTITIES: Final = ("service", "etcd")
_EVERYWHERE: Final = {"node-exporter"}
# Data that may be lost with its node: measurements start anew elsewhere.
_HOME_OF: Final = {name: ("monitoring", "true") for name in ("prometheus", "alertmanager")}


def labels_of(service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The labels that a node must have to run it."""
    for constraint in service.get("deploy", {}).get("placement", {}).get("constraints", []):
        if found := _LABEL.fullmatch(constraint):
            yield found[1], found[2]


def services_are_placed(stack: Stack) -> Iterator[str]:
    """Where a label says. As many as are wanted have room on one node, or a deployment waits for those that are away:
    what is there once a node is of mode `global`."""
    for name, service in stack.services.items():
        deploy = service.get("deploy", {})
        if not list(labels_of(service)) and name not in _EVERYWHERE:
            yield f"{name}: no label says where it runs"
        most = deploy.get("placement", {}).get("max_replicas_per_node")
        if rendering.is_global(service):
            if most is not None or "replicas" in deploy:
                yield f"{name}: is one a node, and has a number"
            continue
        start_first = deploy.get("update_config", {}).get("order") == "start-first"
        if (most or 0) < deploy.get("replicas", 1) + start_first:
            yield f"{name}: with one node left there is no room for all, and one more while updating"


def data_has_one_home(stack: Stack) -> Iterator[str]:
    """A service with a volume is one task, on the one node whose label is its own name."""
    for name, service in stack.services.items():
        if not mounts.has_volume(service, stack):
            continue
        homes = {(label, name) for label in _IDENTITIES} | {_HOME_OF.get(name, ("", ""))}
        if not homes & set(labels_of(service)):
            yield f"{name}: has data and no node of its own"
        if service["deploy"].get("replicas") != 1 or service.get("hostname") != name:
            yield f"{name}: has data and is not one task with a name"


def databases_share_no_node(stack: Stack) -> Iterator[str]:
    """A node has one value of a label, so two different ones are two nodes. (etcd has a label of its own: where its
    members may lie beside others is said by the layouts, test_layouts.py.)"""
    homes = Counter(
        label for service in stack.services.values() for label in labels_of(service) if label[0] in _IDENTITIES
    )
    for (_, home), many in homes.items():
        if many > 1:
            yield f"{home}: is the node of {many} services"
