"""The layouts of machines that come with the stacks: everything has a place, and any one machine can go."""

from collections.abc import Mapping
from typing import Final

import pytest

from tests.stacks import rendering
from tests.stacks.policies import placement

LAYOUTS: Final = sorted(path.name for path in (rendering.STACKS / "layouts").glob("*.nodes"))
# Of how many members at least how many must be left, for writes to go on.
QUORUMS: Final = {"kafka": 2, "patroni": 2, "etcd": 2, "aerospike": 1, "gateway": 1, "pipeline": 1}

Layout = Mapping[str, Mapping[str, str]]


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_label_that_a_service_needs_is_given(name: str) -> None:
    given = {label for labels in _layout(name).values() for label in labels.items()}
    assert _needed() <= given


@pytest.mark.parametrize("name", LAYOUTS)
def test_no_identity_has_two_homes(name: str) -> None:
    identities = [value for labels in _layout(name).values() for key, value in labels.items() if key != value]
    identities = [value for value in identities if value != "true"]
    assert len(identities) == len(set(identities))


@pytest.mark.parametrize("name", LAYOUTS)
def test_any_one_machine_can_go(name: str) -> None:
    layout = _layout(name)
    for lost in layout:
        left = _members({node: labels for node, labels in layout.items() if node != lost})
        short = {kind: left.get(kind, 0) for kind, least in QUORUMS.items() if left.get(kind, 0) < least}
        assert not short, f"without {lost} too few are left: {short}"


@pytest.mark.parametrize("name", LAYOUTS)
def test_etcd_waits_for_no_other_databases_disk(name: str) -> None:
    """A member that is late in writing takes Patroni's primary away; Kafka and PostgreSQL write all the time."""
    for node, labels in _layout(name).items():
        busy = labels.get("service", "").startswith(("kafka", "patroni"))
        assert not ("etcd" in labels and busy), node


def test_a_layout_that_cannot_lose_a_machine_is_found() -> None:
    one = {"vm1": {"etcd": "etcd1"}, "vm2": {"etcd": "etcd2"}}
    assert _members({"vm1": one["vm1"]})["etcd"] < QUORUMS["etcd"]


def _members(layout: Layout) -> dict[str, int]:
    """How many nodes have a member of each kind."""
    found: dict[str, int] = {}
    for labels in layout.values():
        for key, value in labels.items():
            kind = key if value == "true" else value.rstrip("0123456789")
            found[kind] = found.get(kind, 0) + 1
    return found


def _needed() -> set[tuple[str, str]]:
    stacks = [rendering.render(name) for name in rendering.CLUSTER]
    return {label for stack in stacks for service in stack.services.values() for label in placement.labels_of(service)}


def _layout(name: str) -> Layout:
    layout = {}
    for line in (rendering.STACKS / "layouts" / name).read_text("utf-8").splitlines():
        node, *labels = line.split("#")[0].split() or [""]
        if node:
            layout[node] = dict(label.split("=", 1) for label in labels)
    return layout
