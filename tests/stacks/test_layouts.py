"""The layouts of machines that come with the stacks: everything has a place, and what happens when a machine goes."""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from tests.stacks import rendering
from tests.stacks.policies import placement

LAYOUTS: Final = sorted(path.stem for path in (rendering.STACKS / "layouts").glob("*.nodes"))
# How many members at least must be left, for everything to go on. One PostgreSQL is enough for that: it takes writes
# without a standby when the standby is the one that is gone.
QUORUMS: Final = {"kafka": 2, "patroni": 1, "etcd": 2, "aerospike": 1, "gateway": 1, "pipeline": 1}

Layout = Mapping[str, Mapping[str, str]]


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_label_that_a_service_needs_is_given_and_no_other(name: str) -> None:
    given = {label for labels in _layout(name).values() for label in labels.items()}
    assert _needed(name) == given


@pytest.mark.parametrize("name", LAYOUTS)
def test_no_identity_has_two_homes(name: str) -> None:
    identities = [value for labels in _layout(name).values() for key, value in labels.items() if key != value]
    identities = [value for value in identities if value != "true"]
    assert len(identities) == len(set(identities))


def test_any_one_machine_of_the_ten_can_go() -> None:
    assert _what_stops("ten") == {}


def test_of_the_original_ones_any_but_kafkas_can_go() -> None:
    assert _what_stops("original") == {"kafka1": {"kafka"}, "kafka2": {"kafka"}}


def test_kafka_of_the_original_layout_is_told_to_have_two_nodes() -> None:
    stateful, stateless = _rendered("original", 1), _rendered("original", 2)
    for name in ("kafka1", "kafka2"):
        environment = stateful[name]["environment"]
        assert environment["KAFKA_CONTROLLER_QUORUM_VOTERS"] == "1@kafka1:9093,2@kafka2:9093"
        assert not [key for key, value in environment.items() if key.endswith("REPLICATION_FACTOR") and value != 2]
    asking = [name for name, service in stateless.items() if "KAFKA_HOSTS" in (service.get("environment") or {})]
    assert asking
    for name in asking:
        assert stateless[name]["environment"]["KAFKA_HOSTS"] == "kafka1:9092,kafka2:9092", name
        assert stateless[name]["environment"]["KAFKA_REPLICATION"] == 2, name


def test_nobody_watches_what_the_original_layout_has_not() -> None:
    stateful, stateless = _rendered("original", 1), _rendered("original", 2)
    gone = {name for name, service in stateful.items() if service["deploy"].get("replicas") == 0}
    assert gone == {"kafka3", "patroni3"}
    watching = {name: service for name, service in stateless.items() if service["deploy"].get("replicas") != 0}
    told = {name: f"{service.get('command')} {service.get('environment')}" for name, service in watching.items()}
    assert [name for name, words in told.items() if any(each in words for each in gone)] == []
    full = set(rendering.render("2.stateless").services["kafka-exporter"]["command"])
    assert full - set(watching["kafka-exporter"]["command"]) == {"--kafka.server=kafka3:9092"}


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


def _what_stops(name: str) -> dict[str, set[str]]:
    """By the machine that is gone: the kinds that have too few members then."""
    layout = _layout(name)
    stops = {}
    for lost in layout:
        left = _members({node: labels for node, labels in layout.items() if node != lost})
        if short := {kind for kind, least in QUORUMS.items() if left.get(kind, 0) < least}:
            stops[lost] = short
    return stops


def _needed(name: str) -> set[tuple[str, str]]:
    """The labels that services of both stacks ask for, but those that an override takes out."""
    services = [*_rendered(name, 1).values(), *_rendered(name, 2).values()]
    present = [service for service in services if service["deploy"].get("replicas") != 0]
    return {label for service in present for label in placement.labels_of(service)}


def _rendered(layout: str, file: int) -> dict[str, dict[str, Any]]:
    """The services of 1.stateful or 2.stateless with the layout's override, if it has one."""
    name = rendering.CLUSTER[file - 1]
    override = f"layouts/{layout}.{name.partition('.')[2]}"
    there = (rendering.STACKS / f"{override}.yaml").exists()
    return rendering.render(name, overrides=[override] if there else []).services


def _layout(name: str) -> Layout:
    layout = {}
    for line in (rendering.STACKS / "layouts" / f"{name}.nodes").read_text("utf-8").splitlines():
        node, *labels = line.split("#")[0].split() or [""]
        if node:
            layout[node] = dict(label.split("=", 1) for label in labels)
    return layout
