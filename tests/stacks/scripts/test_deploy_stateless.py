"""`stacks/deploy 2.stateless`: jobs first and to their end, then the services, whose end is waited for too."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.stacks.scripts import stage as stages
from tests.stacks.scripts.stage import Done, Stage
from tests.stacks.scripts.state import Service, Task

SPACE = "allezone-stateless"


@pytest.fixture
def cluster(stage: Stage) -> Stage:
    stage.write_stack(
        "2.stateless",
        {
            "gateway": stages.service("application", "gateway == true", environment={"PRICE": "$$1"}),
            "aggregates": stages.service("application", "pipeline == true"),
            "migrations": _job(),
            "roles": _job(),
        },
    )
    stage.swarm.nodes = stages.nodes({"gateway": "true"}, {"pipeline": "true"})
    stage.write_settings()
    return stage


@pytest.fixture
def running(cluster: Stage) -> Stage:
    cluster.play_deployed("2.stateless")
    return cluster


@pytest.fixture
def edges(running: Stage) -> Stage:
    """The same with two edges."""
    _add_edge(running)
    running.play_deployed("2.stateless")
    edge = running.swarm.services[f"{SPACE}_edge"]
    edge.tasks.append(Task("second", "running", edge.definition))
    return running


def test_services_start_when_the_jobs_have_completed(cluster: Stage) -> None:
    done = _deploy(cluster)
    assert (done.status, done.err) == (0, "")
    events = cluster.swarm.events
    assert events[0] == "deployed migrations roles"
    assert sorted(events[1:3]) == [f"{SPACE}_migrations started", f"{SPACE}_roles started"]
    assert events[3] == "deployed aggregates gateway"


def test_jobs_run_again_at_every_release(running: Stage) -> None:
    assert _deploy(running, RELEASE="app-2").status == 0
    assert [running.swarm.services[f"{SPACE}_{job}"].iteration for job in ("migrations", "roles")] == [1, 1]


def test_an_earlier_run_of_a_job_is_not_taken_for_this_one(running: Stage) -> None:
    running.swarm.fates[f"{SPACE}_roles"] = "hang"
    assert _deploy(running, RELEASE="app-2", JOBS_TIMEOUT="2").status == 1


def test_a_job_that_fails_stops_the_release_with_what_it_said(running: Stage) -> None:
    running.swarm.fates[f"{SPACE}_migrations"] = "hang"
    running.swarm.logs[f"{SPACE}_migrations"] = "migration 7 was changed"
    done = _deploy(running, RELEASE="app-2", JOBS_TIMEOUT="2")
    assert done.status == 1
    assert "migration 7 was changed" in done.err
    assert "deploy: not completed within 2 s: migrations. Nothing of this release was started" in done.err
    assert running.swarm.services[f"{SPACE}_gateway"].definition["image"].endswith(":app-1")
    assert f"{SPACE}_migrations" not in running.swarm.services  # it would go on trying


def test_every_job_that_is_not_complete_is_shown_and_ended(running: Stage) -> None:
    """Migrations wait for the password that roles cannot set: the one that fails is not the first in line."""
    for job, said in (("migrations", "waits for its role"), ("roles", "the password is wrong")):
        running.swarm.fates[f"{SPACE}_{job}"] = "hang"
        running.swarm.logs[f"{SPACE}_{job}"] = said
    done = _deploy(running, RELEASE="app-2", JOBS_TIMEOUT="2")
    assert done.status == 1
    assert "waits for its role" in done.err
    assert "the password is wrong" in done.err
    assert "not completed within 2 s: migrations roles." in done.err
    assert set(running.swarm.services) == {f"{SPACE}_gateway", f"{SPACE}_aggregates"}


def test_a_service_that_swarm_rolled_back_is_named(running: Stage) -> None:
    running.swarm.fates[f"{SPACE}_gateway"] = "rollback"
    done = _deploy(running, RELEASE="app-2")
    assert done.status == 1
    assert "gateway: did not come up; Swarm has put back what was before" in done.err
    assert "aggregates: runs" in done.out


def test_what_is_not_there_in_time_is_named(running: Stage) -> None:
    running.swarm.fates[f"{SPACE}_gateway"] = "hang"
    done = _deploy(running, RELEASE="app-2", SERVICES_TIMEOUT="2")
    assert done.status == 1
    assert "gateway: is not there in time" in done.err


def test_what_waits_for_a_node_with_room_is_said(running: Stage) -> None:
    """Swarm takes it for no failure, and goes back by itself from nothing."""
    gateway = running.swarm.services[f"{SPACE}_gateway"]
    gateway.tasks[0].state = "pending"
    gateway.tasks[0].error = "no suitable node (insufficient resources on 2 nodes)"
    done = _deploy(running, SERVICES_TIMEOUT="2")
    assert done.status == 1
    assert "gateway: is not there in time\n  allezone-stateless_gateway.1: Pending now. no suitable node" in done.err
    assert "aggregates.1" not in done.err


def test_with_a_gateway_node_away_a_deployment_ends_with_the_edge_that_is_left(edges: Stage) -> None:
    edges.swarm.nodes[1].state = "down"
    done = _deploy(edges, RELEASE="app-2")
    assert (done.status, done.err) == (0, "")
    assert len(edges.swarm.services[f"{SPACE}_edge"].tasks) == 1
    assert edges.swarm.services[f"{SPACE}_edge"].definition["image"].endswith(":app-2")


def test_an_edge_that_has_to_be_started_again_is_not_there(edges: Stage) -> None:
    edges.swarm.services[f"{SPACE}_edge"].tasks[1].state = "ready"
    edges.swarm.services[f"{SPACE}_edge"].tasks[1].desired = "ready"
    done = _deploy(edges, SERVICES_TIMEOUT="2")
    assert done.status == 1
    assert "edge: is not there in time" in done.err


def test_a_service_that_would_have_to_change_its_mode_is_named_before_anything_is_deployed(running: Stage) -> None:
    _add_edge(running)
    edge = stages.service("haproxy", "gateway == true")
    running.swarm.services[f"{SPACE}_edge"] = Service(edge, [Task("old", "running", edge)])
    done = _deploy(running, RELEASE="app-2")
    assert done.status == 1
    assert f"deploy: {SPACE}_edge runs as replicated, and the file has it as global" in done.err
    assert f"`docker service rm {SPACE}_edge`" in done.err
    assert running.swarm.events == []


def test_a_dollar_stays_one(cluster: Stage) -> None:
    _deploy(cluster)
    assert cluster.swarm.services[f"{SPACE}_gateway"].definition["environment"] == {"PRICE": "$1"}


def test_options_reach_docker(cluster: Stage) -> None:
    _deploy(cluster, DOCKER_OPTIONS="--with-registry-auth --resolve-image never")
    deployed = [call for call in cluster.swarm.calls if call[:2] == ["stack", "deploy"]]
    assert len(deployed) == 2
    assert all(call[4:-1] == ["--with-registry-auth", "--resolve-image", "never"] for call in deployed)


def test_databases_are_not_asked_for(cluster: Stage) -> None:
    del cluster.settings["STATEFUL_RELEASE"], cluster.settings["KAFKA_CLUSTER_ID"]
    assert _deploy(cluster).status == 0


def test_a_release_without_a_name_is_refused_by_the_stack(cluster: Stage) -> None:
    cluster.settings["RELEASE"] = ""
    done = _deploy(cluster)
    assert done.status == 1
    assert "RELEASE" in done.err


def _add_edge(stage: Stage) -> None:
    """To the stack: one a gateway node, of which there are two."""
    read = yaml.safe_load((stage.stacks / "2.stateless.yaml").read_text("utf-8"))
    edge = stages.service("haproxy", "gateway == true")
    edge["deploy"] = {"mode": "global", "placement": edge["deploy"]["placement"]}
    stage.write_stack("2.stateless", {**read["services"], "edge": edge})
    stage.swarm.nodes = stages.nodes({"gateway": "true"}, {"gateway": "true"}, {"pipeline": "true"})


def _job() -> dict[str, Any]:
    made = stages.service("application", "pipeline == true")
    return made | {"deploy": made["deploy"] | {"mode": "replicated-job"}}


def _deploy(stage: Stage, RELEASE: str | None = None, **variables: str) -> Done:
    if RELEASE is not None:
        stage.settings["RELEASE"] = RELEASE
    stage.write_settings()
    return stage.run("deploy", "2.stateless", **variables)
