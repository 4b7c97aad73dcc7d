"""The parts of the swarm test that can be told without a swarm."""

from pathlib import Path
from typing import Any

import pytest

from tests.stacks.swarm import cluster, images, needs, overrides, report, rolling, traffic, waiting


@pytest.mark.parametrize(
    ("replicas", "there", "wanted"),
    [
        ("2/3", 2, 3),
        ("1/2 (max 1 per node)", 1, 2),
        ("0/0 (max 1 per node)", 0, 0),
        ("0/1 (1/1 completed)", 1, 1),
        ("1/1 (0/1 completed)", 0, 1),
    ],
)
def test_a_job_is_whole_when_it_has_ended_and_a_service_when_it_runs(replicas: str, there: int, wanted: int) -> None:
    assert cluster.count_of(replicas) == cluster.Count(there, wanted)


@pytest.mark.parametrize("stack", ["1.stateful", "2.stateless"])
def test_the_test_s_machine_lacks_nothing_of_a_network_but_its_encryption(stack: str) -> None:
    rendered = overrides.read(stack)

    lacking = overrides.lacking(rendered, images.OURS.split())

    assert lacking["networks"]
    for name, network in lacking["networks"].items():
        assert network | {"driver_opts": {"encrypted": "true"}} == rendered["networks"][name]


def test_only_what_runs_from_another_image_is_absent() -> None:
    rendered = overrides.read("1.stateful")

    lacking = overrides.lacking(rendered, images.OURS.split())

    assert {"aerospike1", "aerospike2"} <= set(lacking["services"])
    assert not {"kafka1", "etcd1", "patroni1", "postgres-proxy"} & set(lacking["services"])
    assert lacking["services"]["aerospike1"] == {"deploy": {"mode": "replicated", "replicas": 0}}


def test_a_member_s_kind_is_its_name_without_its_number() -> None:
    assert rolling.kind("allezone-stateful_kafka2") == "kafka"
    assert rolling.kind("allezone-stateful_postgres-proxy") == "postgres-proxy"


ALL_THERE = [
    *(f"allezone-stateful_{kind}{i}" for kind in ("kafka", "etcd", "patroni") for i in (1, 2, 3)),
    *["allezone-stateful_postgres-proxy"] * 2,
]
ONE_OF_EACH_AWAY = [
    f"allezone-stateful_{name}"
    for name in ("kafka1", "kafka3", "etcd1", "etcd3", "patroni1", "patroni3", "postgres-proxy")
]


def test_a_machine_with_few_files_has_an_edge_of_as_many_connections_as_they_carry() -> None:
    rendered = overrides.read("2.stateless")
    services = overrides.fewer_files(rendered, 20_000)["services"]
    assert services["edge"]["command"] == [*rendered["services"]["edge"]["command"], "-n", "8000"]
    assert services["gateway"] == {"ulimits": {"nofile": 20_000}}
    assert overrides.fewer_files(rendered, None)["services"] == {}


def _watched(*looks: list[str]) -> rolling.Watch:
    """One that has seen these, and then the last of them for as long as it takes."""
    coming = list(looks)
    with rolling.Watch(lambda: coming.pop(0) if len(coming) > 1 else coming[0]) as watch:
        waiting.until("it has looked", lambda: watch.looks >= 50 or bool(watch.failures), 20)
    return watch


def test_a_watch_that_has_seen_one_away_and_never_two_is_content() -> None:
    assert _watched(ONE_OF_EACH_AWAY, ALL_THERE).complaints() == []


def test_a_watch_complains_of_two_away_at_once() -> None:
    assert _watched(ONE_OF_EACH_AWAY, ["allezone-stateful_kafka1"], ALL_THERE).complaints()[0] == (
        "kafka: at once away, 1 of 3 were left"
    )


def test_a_watch_that_has_seen_nobody_away_proves_nothing() -> None:
    assert len(_watched(ALL_THERE).complaints()) == len(rolling.KINDS)


def test_a_watch_that_ended_early_is_a_failure() -> None:
    complaints = _watched(ONE_OF_EACH_AWAY, ["a name that is no member's"]).complaints()
    assert complaints[0].startswith("the watch ended: AssertionError")
    assert complaints[1] == "1 looks are too few"


def test_what_gateways_have_accepted_is_read_from_their_metrics() -> None:
    metrics = """# TYPE allezone_gateway_requests_total counter
allezone_gateway_requests_total{endpoint="/user_tags",status="204"} 41.0
allezone_gateway_requests_total{endpoint="/user_tags",status="503"} 3.0
allezone_gateway_requests_total{endpoint="/aggregates",status="204"} 5.0
"""
    assert traffic.accepted(metrics) == 41


def _report(*, wrong: int = 0, refused: int = 0, stale: int = 0, visible: float | None = 0.1) -> dict[str, Any]:
    def endpoint(**counts: int) -> dict[str, int]:
        return {"wrong": 0, "refused": 0, "unknown": 0, "dropped": 0, **counts}

    asked = [endpoint(refused=3), endpoint(wrong=stale), endpoint(wrong=stale)]
    settled = [endpoint(wrong=wrong), endpoint(refused=refused)]
    return {
        "profiles_visible_seconds": visible,
        "aggregates_visible_seconds": 0.1,
        "endpoints": [*asked, *settled],
    }


def test_what_is_stale_on_the_way_is_no_failure_when_all_is_right_at_the_end() -> None:
    assert not traffic.is_wrong(_report(stale=4))


@pytest.mark.parametrize("found", [{"wrong": 1}, {"refused": 1}, {"visible": None}])
def test_what_is_wrong_or_not_answered_at_the_end_is_a_failure(found: dict[str, Any]) -> None:
    assert traffic.is_wrong(_report(**found))


@pytest.mark.parametrize(("failures", "good"), [([], False), ([""], True), (["", "3 wrong answers"], False)])
def test_a_run_is_good_only_with_steps_and_without_a_failure(failures: list[str], *, good: bool) -> None:
    steps = [report.Step("traffic", 1.0, {}, failure) for failure in failures]
    assert report.Report(6, steps).good is good


def test_what_does_not_happen_in_time_is_told_with_how_things_stood() -> None:
    with pytest.raises(waiting.Late, match=r"all are there\. missing: kafka1 0/1"):
        waiting.until("all are there", lambda: False, 0.0, lambda: "missing: kafka1 0/1")


@pytest.mark.parametrize(
    ("answer", "good"),
    [
        ("exit 0", True),
        # What a client says that knows the command and not the schema.
        ('[[ " $* " == *" --help "* ]] || { echo "unsupported Compose file version: 3.10" >&2; exit 1; }', False),
    ],
)
def test_a_client_is_one_that_renders_the_stacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, *, good: bool
) -> None:
    client = tmp_path / "docker"
    client.write_text(f"#!/bin/bash\n{answer}\n", "utf-8")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert needs.reads_the_stacks() is good
