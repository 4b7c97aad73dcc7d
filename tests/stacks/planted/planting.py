"""How a violation gets into a stack: small changes of a rendered file."""

from collections.abc import Callable
from typing import Any, Final

from tests.stacks.policies import Policy
from tests.stacks.rendering import Stack

STATEFUL: Final = "1.stateful"
STATELESS: Final = "2.stateless"
CLUSTER: Final = "cluster"
"""Both files as one."""

WITH_BACKUPS: Final = "with backups"
"""1.stateful.yaml with backup.yaml over it."""

Plant = Callable[[Stack], object]


def put(service: str, **parts: Any) -> Plant:
    """Keys of a service, replaced or added."""
    return lambda stack: stack.services[service].update(parts)


def drop(service: str, key: str) -> Plant:
    return lambda stack: stack.services[service].pop(key)


def within(service: str, path: str, **parts: Any) -> Plant:
    """The same deeper inside, `path` with dots. Anchors share what they merge, so each part is copied before."""

    def plant(stack: Stack) -> None:
        part = stack.services[service]
        for key in path.split("."):
            part[key] = dict(part[key])
            part = part[key]
        part.update(parts)

    return plant


def variable(service: str, name: str, value: str) -> Plant:
    """One variable of a service's environment."""
    return within(service, "environment", **{name: value})


def network(network: str, /, **parts: Any) -> Plant:
    return lambda stack: stack.networks[network].update(parts)


def config(config: str, /, **parts: Any) -> Plant:
    return lambda stack: stack.configs[config].update(parts)


def secret(name: str, value: dict[str, Any]) -> Plant:
    return lambda stack: stack.secrets.update({name: value})


def both(one: str, other: str, name: str) -> Plant:
    """Two services on one more network."""

    def plant(stack: Stack) -> None:
        for service in (stack.services[one], stack.services[other]):
            service["networks"] = [*service["networks"], name]

    return plant


Planted = tuple[Policy, str, Plant, str]
"""A policy, the stack that it is planted into, the change, and a part of the sentence that it must lead to."""
