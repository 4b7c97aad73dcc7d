"""`stacks/deploy` says where the numbers that alerts count against are not those of the deployment."""

from __future__ import annotations

from typing import Any, Final

import pytest
import yaml

from monitoring import expected
from tests.stacks import rendering
from tests.stacks.scripts import stage as stages
from tests.stacks.scripts.stage import Done, Stage
from tests.stacks.scripts.state import Node
from tests.stacks.test_layouts import LAYOUTS

NUMBERS: Final = {
    ("gateway", "gateway"): 2,
    ("haproxy", "edge"): 2,
    ("certificate", "edge"): 2,
    ("node", "node-exporter"): 3,
    ("postgres", "patroni1"): 1,
    ("patroni", "patroni1"): 1,  # of the other stack
}
PROMETHEUS: Final = "names: [tasks.gateway, tasks.edge, tasks.node-exporter, tasks.postgres-exporter1, tasks.patroni1]"


@pytest.fixture
def cluster(stage: Stage) -> Stage:
    """Two gateway nodes and one for monitoring; what the stack makes is what is expected."""
    stage.swarm.nodes = stages.nodes({"gateway": "true"}, {"gateway": "true"}, {"monitoring": "true"})
    _write(stage, _services(), NUMBERS)
    return stage


def test_nothing_is_said_where_the_numbers_are_right(cluster: Stage) -> None:
    done = _deploy(cluster)
    assert (done.status, done.err) == (0, "")


def test_a_service_with_other_replicas_is_named_when_all_is_deployed(cluster: Stage) -> None:
    """Four of eight gateways could vanish, and no alert would come."""
    more = {"version": rendering.VERSION, "services": {"gateway": {"deploy": {"replicas": 8}}}}
    (cluster.stacks / "scale.yaml").write_text(yaml.safe_dump(more), "utf-8")
    cluster.settings["STATELESS_OVERRIDES"] = "scale.yaml"
    done = _deploy(cluster)
    assert done.status == 0
    assert cluster.swarm.services["allezone-stateless_gateway"].replicas == 8
    assert _named(done) == ["gateway: 8 (2 in the file)"]
    assert "`python -m monitoring.expected LAYOUT`" in done.err


def test_the_command_is_the_one_of_the_layout_whose_file_is_mounted(cluster: Stage) -> None:
    _write(cluster, _services(), NUMBERS | {("gateway", "gateway"): 4}, file="layouts/mine.expected.yml")
    done = _deploy(cluster)
    assert "layouts/mine.expected.yml does not have the numbers" in done.err
    assert "`python -m monitoring.expected mine`" in done.err


def test_a_further_node_with_the_label_of_a_global_service_is_seen(cluster: Stage) -> None:
    cluster.swarm.nodes.append(Node("node4", "vm4", {"gateway": "true"}))
    assert _named(_deploy(cluster)) == ["edge: 3 (2 in the file)", "node-exporter: 4 (3 in the file)"]


@pytest.mark.parametrize(("state", "availability"), [("down", "active"), ("ready", "drain")])
def test_a_node_that_is_away_is_to_come_back(cluster: Stage, state: str, availability: str) -> None:
    cluster.swarm.nodes[1].state, cluster.swarm.nodes[1].availability = state, availability
    done = _deploy(cluster)
    assert (done.status, done.err) == (0, "")


def test_an_exporter_is_known_by_what_it_asks(cluster: Stage) -> None:
    taken_out = _services() | {"postgres-exporter1": _of("monitoring", replicas=0)}
    _write(cluster, taken_out, NUMBERS)
    assert _named(_deploy(cluster)) == ["postgres-exporter1: 0 (1 in the file)"]


def test_what_is_asked_and_nowhere_expected_is_named(cluster: Stage) -> None:
    _write(cluster, _services(), {key: number for key, number in NUMBERS.items() if key[1] != "patroni1"})
    assert _named(_deploy(cluster)) == ["postgres-exporter1: 1 (0 in the file)"]


def test_without_a_prometheus_nobody_counts(cluster: Stage) -> None:
    _write(cluster, _services() | {"prometheus": _of("monitoring", replicas=0)}, dict.fromkeys(NUMBERS, 9))
    done = _deploy(cluster)
    assert (done.status, done.err) == (0, "")


def test_one_service_alone_is_not_counted(cluster: Stage) -> None:
    _write(cluster, _services(), dict.fromkeys(NUMBERS, 9))
    done = _deploy(cluster, "--only", "gateway")
    assert (done.status, done.err) == (0, "")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_stacks_as_they_come_have_the_numbers_of_their_layouts(stage: Stage, layout: str) -> None:
    (stage.stacks.parent / "monitoring").symlink_to(rendering.ROOT / "monitoring")
    lines = (rendering.STACKS / "layouts" / f"{layout}.nodes").read_text("utf-8").splitlines()
    words = [line.split() for line in lines if line and not line.startswith("#")]
    stage.swarm.nodes = [Node(name, name, dict(label.split("=") for label in labels)) for name, *labels in words]
    stage.swarm.secrets = [secret["name"] for secret in rendering.render_cluster().secrets.values()]
    if (rendering.STACKS / "layouts" / f"{layout}.stateless.yaml").exists():
        stage.settings["STATELESS_OVERRIDES"] = f"layouts/{layout}.stateless.yaml"
    done = _deploy(stage, "--no-jobs")
    assert (done.status, done.err) == (0, "")
    stage.swarm.nodes.append(Node("more", "more", {"gateway": "true"}))
    assert {"edge", "node-exporter"} == {line.partition(":")[0] for line in _named(_deploy(stage, "--no-jobs"))}


def _of(label: str, **deploy: Any) -> dict[str, Any]:
    made = stages.service("application", f"{label} == true")
    return made | {"deploy": made["deploy"] | deploy}


def _services() -> dict[str, Any]:
    edge = _of("gateway", mode="global")
    everywhere = _of("gateway", mode="global")
    del edge["deploy"]["replicas"], everywhere["deploy"]["replicas"], everywhere["deploy"]["placement"]
    return {
        "gateway": _of("gateway", replicas=2),
        "edge": edge,
        "node-exporter": everywhere,
        "postgres-exporter1": _of("monitoring"),
        "prometheus": _of("monitoring"),
    }


def _write(
    stage: Stage, services: dict[str, Any], numbers: dict[tuple[str, str], int], file: str = "expected.yml"
) -> None:
    """The stack with what is expected of it, as its configs have that."""
    (stage.stacks / "prometheus.yml").write_text(PROMETHEUS, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expected, "expected", lambda _: numbers)
        (stage.stacks / file).write_text(expected.rules("mine"), "utf-8")
    configs = {"prometheus": {"file": "prometheus.yml"}, "rules_expected": {"file": file}}
    stage.write_stack("2.stateless", services, configs=configs)


def _deploy(stage: Stage, *arguments: str) -> Done:
    stage.write_settings()
    return stage.run("deploy", "2.stateless", *arguments)


def _named(done: Done) -> list[str]:
    """The lines below the sentence."""
    head, *lines = done.err.splitlines()
    assert "How many there should be" in head
    assert all(line.startswith("  ") for line in lines)
    return [line.strip() for line in lines]
