"""`stacks/deploy 1.stateful`: databases are made at once, and replaced one by one while all of them are there."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.stacks.scripts import stage as stages
from tests.stacks.scripts.stage import CLUSTER_ID, Done, Stage

SPACE = "allezone-stateful"
KAFKA = [f"{SPACE}_kafka{i}" for i in (1, 2, 3)]


@pytest.fixture
def cluster(stage: Stage) -> Stage:
    """Three nodes of Kafka, two of Patroni, a proxy, and machines for them."""
    members = [*(f"kafka{i}" for i in (1, 2, 3)), "patroni1", "patroni2"]
    services = {name: _member(name) for name in members}
    services["proxy"] = stages.service("haproxy", "gateway == true")
    stage.write_stack("1.stateful", services)
    stage.swarm.nodes = stages.nodes(*({"service": name} for name in members), {"gateway": "true", "pipeline": "true"})
    stage.swarm.logs["patroni1:8008 patroni2:8008"] = "leader patroni1"
    stage.write_settings()
    return stage


@pytest.fixture
def running(cluster: Stage) -> Stage:
    """The same, deployed."""
    cluster.play_deployed("1.stateful")
    return cluster


def test_what_is_not_there_is_made_at_once(cluster: Stage) -> None:
    done = cluster.run("deploy", "1.stateful")
    assert (done.status, done.err) == (0, "")
    first = next(event for event in cluster.swarm.events if event.startswith("deployed"))
    assert first.split()[1:] == ["kafka1", "kafka2", "kafka3", "patroni1", "patroni2", "proxy"]
    assert not any("stopped" in event for event in cluster.swarm.events)


def test_a_new_release_replaces_one_member_after_the_other(running: Stage) -> None:
    done = _deploy(running, STATEFUL_RELEASE="data-2")
    assert (done.status, done.err) == (0, "")
    assert _most_away(running) == 1
    assert _images(running) == {f"{SPACE}_{name}": "data-2" for name in _names(running)}


def test_members_are_asked_whether_all_are_there_before_the_first_and_after_each(running: Stage) -> None:
    _deploy(running, STATEFUL_RELEASE="data-2")
    order = [event for event in running.swarm.events if re.search("asked started|kafka. (stopped|started)", event)]
    asked, moved = (
        "allezone-whole_asked started",
        [f"{name} {what}" for name in KAFKA for what in ("stopped", "started")],
    )
    assert order[:10] == [asked, *moved[:2], asked, *moved[2:4], asked, *moved[4:], asked]


def test_the_leader_is_the_last(running: Stage) -> None:
    _deploy(running, STATEFUL_RELEASE="data-2")
    stopped = [event.split()[0] for event in running.swarm.events if re.search("patroni. stopped", event)]
    assert stopped == [f"{SPACE}_patroni2", f"{SPACE}_patroni1"]


def test_nothing_new_restarts_nothing(running: Stage) -> None:
    assert _deploy(running).status == 0
    assert _most_away(running) == 0


def test_a_release_of_the_application_touches_no_database(running: Stage) -> None:
    _deploy(running, RELEASE="app-2")
    assert _most_away(running) == 0


@pytest.mark.parametrize("fate", ["rollback", "pause"])
def test_a_member_that_does_not_come_back_stops_it(running: Stage, fate: str) -> None:
    running.swarm.fates[KAFKA[1]] = fate
    done = _deploy(running, STATEFUL_RELEASE="data-2")
    assert done.status == 1
    assert re.search("deploy: kafka2 did not come up.*untouched.*docker service ps", done.err)
    images = _images(running)
    assert (images[KAFKA[0]], images[KAFKA[2]]) == ("data-2", "data-1")
    assert not any(re.search("kafka3 stopped|patroni. stopped", event) for event in running.swarm.events)


def test_a_member_that_takes_too_long_stops_it(running: Stage) -> None:
    running.swarm.fates[KAFKA[0]] = "hang"
    done = _deploy(running, STATEFUL_RELEASE="data-2", MEMBER_TIMEOUT="5")
    assert done.status == 1
    assert re.search("deploy: kafka1 is not there in time.*untouched", done.err)
    assert [event for event in running.swarm.events if event.endswith(" stopped")] == [f"{KAFKA[0]} stopped"]


def test_a_quorum_that_is_not_whole_is_not_touched(running: Stage) -> None:
    running.swarm.fates["allezone-whole_asked"] = "hang"
    running.swarm.logs["allezone-whole_asked"] = "kafka3/0 is not in sync"
    done = _deploy(running, STATEFUL_RELEASE="data-2", MEMBER_TIMEOUT="1")
    assert done.status == 1
    assert "kafka3/0 is not in sync" in done.err
    assert "kafka is not whole" in done.err
    assert _most_away(running) == 0
    assert "allezone-whole_asked" not in running.swarm.services


def test_a_member_that_is_down_comes_first(running: Stage) -> None:
    for task in running.swarm.services[KAFKA[2]].tasks:
        task.state = "failed"
    assert _deploy(running, STATEFUL_RELEASE="data-2").status == 0
    stopped = [event.split()[0] for event in running.swarm.events if re.search("kafka. stopped", event)]
    assert stopped == [KAFKA[2], KAFKA[0], KAFKA[1]]


def test_members_that_start_are_not_replaced_together(running: Stage) -> None:
    for name in KAFKA[:2]:
        running.swarm.services[name].tasks[0].state = "starting"
        running.swarm.services[name].steps = [*["unnoticed"] * 10, "started"]
    assert _deploy(running, STATEFUL_RELEASE="data-2").status == 0
    replaced = [event.split()[1:] for event in _deployed(running) if "kafka" in event]
    assert replaced == [["kafka1"], ["kafka2"], ["kafka3"]]


def test_a_member_that_starts_for_ever_is_one_that_is_down(running: Stage) -> None:
    running.swarm.services[KAFKA[2]].tasks[0].state = "starting"
    assert _deploy(running, STATEFUL_RELEASE="data-2", STARTING_TIMEOUT="1").status == 0
    stopped = [event.split()[0] for event in running.swarm.events if re.search("kafka. stopped", event)]
    assert stopped == [KAFKA[2], KAFKA[0], KAFKA[1]]


def test_a_manager_that_gives_no_answer_is_no_member_that_is_down(running: Stage) -> None:
    running.swarm.silences["service ps"] = 5
    assert _deploy(running, STATEFUL_RELEASE="data-2").status == 0
    assert _most_away(running) == 1


def test_managers_that_give_no_answer_at_all_stop_it(running: Stage) -> None:
    running.swarm.silences["service ps"] = 10**6
    done = _deploy(running, STATEFUL_RELEASE="data-2", ANSWER_TIMEOUT="1")
    assert done.status == 1
    assert "the swarm does not say whether kafka1 runs" in done.err
    assert _deployed(running) == []


def test_tasks_that_only_look_different_from_their_service_are_taken_for_it_after_a_while(running: Stage) -> None:
    running.swarm.filled_in = " 10000000000"
    assert _deploy(running, "--only", "kafka2", STEADY="1").status == 0
    assert _most_away(running) == 0


def test_one_service_can_be_deployed_alone(running: Stage) -> None:
    done = _deploy(running, "--only", "kafka2", STATEFUL_RELEASE="data-2")
    assert (done.status, done.out) == (0, "kafka2: runs\n")
    assert [name for name, image in _images(running).items() if image == "data-2"] == [KAFKA[1]]


def test_a_service_that_is_in_no_file_is_refused(running: Stage) -> None:
    done = _deploy(running, "--only", "kafka9")
    assert (done.status, done.err) == (1, "deploy: 1.stateful.yaml has no service kafka9\n")


def test_a_service_that_left_the_file_is_removed_at_the_end_if_that_is_meant(running: Stage) -> None:
    running.write_stack("1.stateful", {f"kafka{i}": _member(f"kafka{i}") for i in (1, 2, 3)})
    done = _deploy(running)
    assert (done.status, "patroni1 is in no file any more, and was left: --remove ends it" in done.err) == (0, True)
    assert set(running.swarm.services) > set(KAFKA)
    assert _deploy(running, "--remove").status == 0
    assert set(running.swarm.services) == set(KAFKA)
    assert not any("--prune" in call for call in running.swarm.calls)


def test_a_service_that_an_override_takes_out_needs_no_node_and_is_not_waited_for(running: Stage) -> None:
    running.write_stack("absent", {"kafka3": {"deploy": {"replicas": 0}}})
    del running.swarm.nodes[2].labels["service"]
    done = _deploy(running, str(running.stacks / "absent.yaml"))
    assert (done.status, done.err) == (0, "")


def test_a_node_that_members_are_asked_from_is_needed_as_well(running: Stage) -> None:
    del running.swarm.nodes[-1].labels["pipeline"]
    done = _deploy(running, STATEFUL_RELEASE="data-2")
    assert done.status == 1
    assert "no node has what a service needs: node.labels.pipeline == true" in done.err
    assert _deployed(running) == []
    assert _deploy(running, "--only", "kafka2").status == 0


@pytest.mark.parametrize(("state", "availability"), [("down", "active"), ("ready", "drain"), ("ready", "pause")])
def test_a_label_of_a_node_that_is_not_in_service_counts_for_nothing(
    running: Stage, state: str, availability: str
) -> None:
    running.swarm.nodes[0].state, running.swarm.nodes[0].availability = state, availability
    done = _deploy(running, STATEFUL_RELEASE="data-2")
    assert done.status == 1
    assert f"node.labels.service == kafka1 (stacks/label-nodes); not in service: {state}/{availability}/vm1" in done.err
    assert _deployed(running) == []


def test_a_secret_that_is_not_there_is_refused(cluster: Stage) -> None:
    secrets = {"api": {"external": True, "name": "allezone_api_v2"}}
    cluster.write_stack("1.stateful", {"kafka1": _member("kafka1")}, secrets=secrets)
    done = cluster.run("deploy", "1.stateful")
    assert (done.status, done.err) == (1, "deploy: there is no secret allezone_api_v2 (stacks/secrets)\n")


@pytest.mark.parametrize("id_", ["", "dGVzdC1jbHVz", "-GVzdC1jbHVzdGVyLWlkMQ"])
def test_a_cluster_id_that_is_missing_or_cut_short_is_refused(running: Stage, id_: str) -> None:
    done = _deploy(running, KAFKA_CLUSTER_ID=id_, STATEFUL_RELEASE="data-2")
    assert done.status == 1
    assert _deployed(running) == []


def test_a_cluster_id_that_is_not_the_one_that_runs_is_refused(running: Stage) -> None:
    done = _deploy(running, KAFKA_CLUSTER_ID="b3RoZXItY2x1c3Rlci1pZA", STATEFUL_RELEASE="data-2")
    assert done.status == 1
    assert f"but Kafka was made as {CLUSTER_ID}" in done.err
    assert _deployed(running) == []


def test_a_cluster_id_that_is_not_the_one_that_is_kept_is_refused(cluster: Stage) -> None:
    """After `docker stack rm` the volumes are there still."""
    cluster.swarm.configs["allezone_kafka_cluster_id"] = "b3RoZXItY2x1c3Rlci1pZA"
    done = cluster.run("deploy", "1.stateful")
    assert done.status == 1
    assert "but Kafka was made as b3RoZXItY2x1c3Rlci1pZA" in done.err


def test_databases_have_a_release_of_their_own(cluster: Stage) -> None:
    del cluster.settings["STATEFUL_RELEASE"]
    done = _deploy(cluster)
    assert done.status == 1
    assert "STATEFUL_RELEASE" in done.err


def test_overrides_in_the_settings_belong_to_every_deployment(running: Stage) -> None:
    running.write_stack("mine", {"proxy": {"deploy": {"replicas": 2}}})
    assert _deploy(running, STATEFUL_OVERRIDES="mine.yaml").status == 0
    assert running.swarm.services[f"{SPACE}_proxy"].replicas == 2


def test_settings_that_are_not_there_are_refused(cluster: Stage) -> None:
    cluster.deployment.unlink()
    done = cluster.run("deploy", "1.stateful")
    assert done.status == 1
    assert "there is no" in done.err


def _member(name: str) -> dict[str, Any]:
    environment = {"CLUSTER_ID": "${KAFKA_CLUSTER_ID:-}"} if name.startswith("kafka") else {}
    return stages.service(name.rstrip("123"), f"service == {name}", environment=environment)


def _deploy(stage: Stage, *arguments: str, **settings: str) -> Done:
    stage.settings |= settings
    stage.write_settings()
    return stage.run("deploy", "1.stateful", *arguments)


def _names(stage: Stage) -> list[str]:
    return [name.removeprefix(f"{SPACE}_") for name in stage.swarm.services]


def _images(stage: Stage) -> dict[str, str]:
    return {name: found.definition["image"].rsplit(":", 1)[1] for name, found in stage.swarm.services.items()}


def _deployed(stage: Stage) -> list[str]:
    return [event for event in stage.swarm.events if event.startswith("deployed")]


def _most_away(stage: Stage) -> int:
    """How many members at most were away at the same time."""
    away, most = 0, 0
    for event in stage.swarm.events:
        name, _, what = event.partition(" ")
        if name.startswith(SPACE):
            away += {"stopped": 1, "started": -1}.get(what, 0)
            most = max(most, away)
    return most
