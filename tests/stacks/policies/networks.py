"""Who reaches whom."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, Final

from tests.stacks import members
from tests.stacks.rendering import Stack

_WAYS_OUT: Final = {"public", "backup1", "backup2", "backup3", "notifications"}
"""On each is one service, which has somebody outside to talk to: clients, the store of backups, who is to be woken."""


def only_the_edge_publishes_ports(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        if service.get("ports") and name != "edge":
            yield f"{name}: publishes ports"


def networks_are_chosen(stack: Stack) -> Iterator[str]:
    """A service that names none is on a network that everything shares."""
    for name, service in stack.services.items():
        chosen = _networks(service)
        if not chosen:
            yield f"{name}: chooses no network"
        for network in chosen - stack.networks.keys():
            yield f"{name}: is on {network}, which is not declared"


def networks_hold_only_who_needs_them(stack: Stack) -> Iterator[str]:
    for name, service in stack.services.items():
        for network in _networks(service):
            known = members.NETWORKS.get(network)
            if known is None:
                yield f"{name}: is on the network {network}, of which nobody says whom it is for"
            elif not known.have(name):
                yield f"{name}: is on the network {network}, whose members are {known.servers}|{known.clients}"


def networks_are_closed(stack: Stack) -> Iterator[str]:
    for name, network in stack.networks.items():
        if not network.get("external") and not network.get("internal") and name not in _WAYS_OUT:
            yield f"network {name}: is open to the outside"


def networks_are_encrypted(stack: Stack) -> Iterator[str]:
    for name, network in stack.networks.items():
        if not network.get("external") and network.get("driver_opts", {}).get("encrypted") != "true":
            yield f"network {name}: goes over the wire as it is"


def one_way_leads_to_a_server(stack: Stack) -> Iterator[str]:
    """Who talks to a server shares that one network with it: on a second one its name may have another address, which a
    rule about addresses does not know, and other ports of it are in reach. Clients of the same servers are neighbours
    there, as the gateway and the workers are with Kafka. Monitoring's own meet whomever they watch."""
    services = [(name, service) for name, service in stack.services.items() if not members.is_of_monitoring(name)]
    for (one, first), (other, second) in combinations(services, 2):
        shared = _networks(first) & _networks(second)
        if members.kind(one) == members.kind(other) or len(shared) < 2:
            continue
        if any(_serves(network, name) for network in shared for name in (one, other)):
            yield f"{one} and {other}: meet on more than one network: {', '.join(sorted(shared))}"


def networks_that_are_found_are_made(stack: Stack) -> Iterator[str]:
    """Of both files together: what one finds under a name, the other makes under that name."""
    for name, network in stack.networks.items():
        if network.get("external"):
            yield f"network {name}: {network.get('name', name)} is made in no file"


def names_are_addresses_of_tasks(stack: Stack) -> Iterator[str]:
    """A virtual address forgets connections that are idle for 15 minutes, as those of pools are."""
    for name, service in stack.services.items():
        if service.get("deploy", {}).get("endpoint_mode") != "dnsrr":
            yield f"{name}: has a virtual address"
        if any(not isinstance(port, dict) or port.get("mode") != "host" for port in service.get("ports", [])):
            yield f"{name}: publishes through the ingress network, which hides the client's address"


def _networks(service: Mapping[str, Any]) -> set[str]:
    return set(service.get("networks") or [])


def _serves(network: str, name: str) -> bool:
    known = members.NETWORKS.get(network)
    return known is not None and known.are_served_by(name)
