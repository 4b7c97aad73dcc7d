"""`stacks/label-nodes`: a database's name has one home, and leaves it only if that is lost, or on purpose."""

import pytest

from tests.stacks.scripts import stage as stages
from tests.stacks.scripts.stage import Done, Stage


@pytest.fixture
def cluster(stage: Stage) -> Stage:
    """Two machines with a database each, and a new one."""
    stage.swarm.nodes = stages.nodes({"service": "kafka1", "etcd": "etcd1"}, {"service": "kafka2", "owner": "us"}, {})
    return stage


def test_nodes_get_the_labels_of_the_file_and_keep_those_that_are_not_ours(cluster: Stage) -> None:
    done = _label(cluster, "vm1 service=kafka1 etcd=etcd1", "vm2 service=kafka2 gateway=true", "vm3 pipeline=true")
    assert (done.status, done.err) == (0, "")
    assert _labels(cluster) == [
        {"service": "kafka1", "etcd": "etcd1"},
        {"service": "kafka2", "gateway": "true", "owner": "us"},
        {"pipeline": "true"},
    ]


def test_a_machine_without_a_database_can_be_labelled_alone(cluster: Stage) -> None:
    done = _label(cluster, "vm3 pipeline=true")
    assert (done.status, done.err) == (0, "")
    assert _labels(cluster)[2] == {"pipeline": "true"}


@pytest.mark.parametrize(("state", "availability"), [("down", "active"), ("ready", "drain")])
def test_a_name_moves_from_a_machine_that_is_lost(cluster: Stage, state: str, availability: str) -> None:
    cluster.swarm.nodes[0].state, cluster.swarm.nodes[0].availability = state, availability
    done = _label(cluster, "vm2 service=kafka2", "vm3 service=kafka1 etcd=etcd1")
    assert (done.status, done.err) == (0, "")
    assert _labels(cluster) == [{}, {"service": "kafka2", "owner": "us"}, {"service": "kafka1", "etcd": "etcd1"}]


def test_it_never_has_two_homes(cluster: Stage) -> None:
    cluster.swarm.nodes[0].state = "down"
    _label(cluster, "vm3 service=kafka1 etcd=etcd1")
    taken = cluster.swarm.events.index("vm1 has {}")
    assert all("vm3" not in event for event in cluster.swarm.events[:taken])


@pytest.mark.parametrize("lines", [("vm3 service=kafka1",), ("vm1 etcd=etcd1",), ("vm1", "vm3 service=kafka2")])
def test_a_machine_in_service_does_not_lose_its_database(cluster: Stage, lines: tuple[str, ...]) -> None:
    before = _labels(cluster)
    done = _label(cluster, *lines)
    assert done.status == 1
    assert "is in service and would lose" in done.err
    assert _labels(cluster) == before


def test_it_does_if_that_is_meant(cluster: Stage) -> None:
    assert _label(cluster, "vm2 service=kafka1", "vm1 service=kafka2 etcd=etcd1", move=True).status == 0
    assert _labels(cluster)[:2] == [{"service": "kafka2", "etcd": "etcd1"}, {"service": "kafka1", "owner": "us"}]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("vm9 gateway=true", "there is no one node of the name vm9"),
        ("vm3 owner=us", "no label of ours: owner=us"),
        ("vm3 gateway=", "no label of ours: gateway="),
        ("vm3 service=kafka1", "given to more than one node: service=kafka1"),
    ],
)
def test_a_file_that_is_wrong_anywhere_changes_nothing(cluster: Stage, line: str, said: str) -> None:
    before = _labels(cluster)
    done = _label(cluster, "vm1 service=kafka1 etcd=etcd1 gateway=true", line)
    assert done.status == 1
    assert said in done.err
    assert _labels(cluster) == before


def test_a_name_of_two_machines_is_refused(cluster: Stage) -> None:
    """The dead one and its successor, as long as the dead one is in the list."""
    cluster.swarm.nodes[2].hostname = "vm1"
    assert "there is no one node of the name vm1" in _label(cluster, "vm1 service=kafka1 etcd=etcd1").err


def test_a_file_that_is_not_there_is_refused(cluster: Stage) -> None:
    before = _labels(cluster)
    assert cluster.run("label-nodes", "missing.nodes").status != 0
    assert _labels(cluster) == before


def _label(stage: Stage, *lines: str, move: bool = False) -> Done:
    file = stage.stacks / "these.nodes"
    file.write_text("# a comment\n" + "".join(f"{line}  # why\n" for line in lines), "utf-8")
    return stage.run("label-nodes", *(["--move"] if move else []), str(file))


def _labels(stage: Stage) -> list[dict[str, str]]:
    return [dict(node.labels) for node in stage.swarm.nodes]
