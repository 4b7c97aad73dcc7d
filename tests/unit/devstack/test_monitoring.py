"""Local monitoring: whom it asks, what it finds on the machine, and that `make run` and it leave each other alone."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from devstack import errors, layout, leftovers, pids, ports, waiting
from devstack.__main__ import clean_state
from devstack.monitoring import announcement, exporters, grafana, prometheus, stack, targets
from devstack.monitoring.settings import MonitoringSettings
from devstack.settings import DevstackSettings
from devstack.state import State
from tests.unit.devstack import stand_ins
from tests.unit.devstack.sleepers import Sleeper

ALL = ("prometheus", "grafana", "prometheus-node-exporter", "prometheus-postgres-exporter", "kafka_exporter")
PORTS = ("prometheus_port", "grafana_port", "node_exporter_port", "postgres_exporter_port", "kafka_exporter_port")


class Machine:
    """A machine that has some programs, with monitoring on free ports."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "programs"
        self.said: list[str] = []
        chosen = {name: ports.reserve() for name in PORTS}
        self.settings = MonitoringSettings.model_validate({"state_dir": folder / "state", **chosen})
        self.monitoring = stack.Monitoring(self.settings, self.said.append)

    def has(self, *names: str) -> None:
        stand_ins.make(self.programs, *names)

    def asked(self) -> dict[tuple[str, str], int]:
        """How many targets Prometheus is told of, by job and service."""
        found: dict[tuple[str, str], int] = {}
        for group in json.loads((self.monitoring.state.monitoring / "targets.json").read_text()):
            key = (group["labels"]["job"], group["labels"]["service"])
            found[key] = found.get(key, 0) + len(group["targets"])
        return found

    def write_run_settings(self, **changes: object) -> None:
        """As `make run` leaves them at its start."""
        settings = DevstackSettings.model_validate({"state_dir": self.settings.state_dir, **changes})
        State.write_private(self.monitoring.state.settings, settings.model_dump_json())


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    machine = Machine(tmp_path)
    machine.programs.mkdir()
    monkeypatch.setenv("PATH", str(machine.programs))
    with machine.monitoring.state.monitored():
        yield machine
        machine.monitoring.bring_down()


def test_gateways_and_workers_are_asked_under_the_names_that_they_have_in_a_cluster() -> None:
    settings = DevstackSettings.model_validate({"gateways": 2, "profiles_workers": 0, "aggregates_port": 9500})

    assert targets.of_system(settings) == [
        targets.Target("gateway", "gateway", 8088),
        targets.Target("gateway", "gateway", 8089),
        targets.Target("workers", "aggregates", 9500),
    ]


def test_a_broker_is_asked_where_it_tells_its_own_figures() -> None:
    settings = DevstackSettings.model_validate({"gateways": 0, "aggregates_workers": 0, "profiles_workers": 0})
    telling = settings.model_copy(update={"kafka_jmx_port": 9404})

    assert targets.of_system(settings) == []
    assert targets.of_system(telling) == [targets.Target("kafka-jmx", "kafka1", 9404)]
    assert layout.Place("kafka", 9404, "KAFKA_JMX_PORT") in layout.servers(telling)


def test_as_many_targets_are_expected_as_there_are_to_be() -> None:
    asked = [targets.Target("gateway", "gateway", port) for port in (1, 2)] + [targets.Target("node", "n", 3)]

    (group,) = json.loads(targets.expected(asked))["groups"]

    assert [(rule["record"], rule["expr"], rule["labels"]) for rule in group["rules"]] == [
        ("allezone:targets_expected", "vector(2)", {"job": "gateway", "service": "gateway"}),
        ("allezone:targets_expected", "vector(1)", {"job": "node", "service": "n"}),
    ]


def test_every_rule_of_the_checkout_is_read_and_the_clusters_expectations_are_not(tmp_path: Path) -> None:
    server = prometheus.PrometheusServer(tmp_path, 1, tmp_path / "log")

    server.configure([])

    rules = tmp_path / "rules"
    shared = {file.name for file in (prometheus.CONFIG / "rules").glob("*.yml")} - {"expected.yml"}
    assert {file.name for file in rules.iterdir() if file.is_symlink()} == shared
    assert json.loads((rules / "expected.yml").read_text())["groups"][0]["rules"] == []


def test_all_that_the_machine_has_is_started_and_asked(machine: Machine) -> None:
    machine.has(*ALL)

    machine.monitoring.bring_up()

    assert [place.name for place in machine.monitoring.started()] == list(stack.NAMES)
    assert machine.asked() == {
        ("gateway", "gateway"): 1,
        ("workers", "aggregates"): 1,
        ("workers", "profiles"): 1,
        ("node", "node-exporter"): 1,
        ("postgres", "postgres"): 1,
        ("kafka", "kafka-exporter"): 1,
        ("prometheus", "prometheus"): 1,
        ("grafana", "grafana"): 1,
    }
    assert all(str(place.port) in announcement.ready(machine.monitoring, 1) for place in machine.monitoring.places())


def test_what_the_machine_does_not_have_is_said_and_not_expected(machine: Machine) -> None:
    machine.has("prometheus")

    machine.monitoring.bring_up()

    assert {job for job, _ in machine.asked()} == {"gateway", "workers", "prometheus"}
    said = "\n".join(machine.said)
    assert "no Grafana: no dashboards" in said
    assert "apt install prometheus-node-exporter" in said
    assert "apt install prometheus-postgres-exporter" in said


def test_an_exporter_that_ends_because_its_server_is_not_there_is_started_again(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.has("prometheus", "kafka_exporter")
    monkeypatch.setenv("FAILS", "1")
    machine.monitoring.bring_up()

    def said() -> bool:
        machine.monitoring.watch()
        return any("kafka-exporter: ended with status 1; starting again" in line for line in machine.said)

    assert waiting.until(said, 10)


def test_without_prometheus_the_sentence_says_what_to_install(machine: Machine) -> None:
    with pytest.raises(errors.ToolMissing, match="apt install prometheus"):
        machine.monitoring.bring_up()


def test_a_busy_port_is_named_with_what_moves_it(machine: Machine) -> None:
    machine.has("prometheus")
    with (
        socket.create_server((ports.HOST, machine.settings.prometheus_port)),
        pytest.raises(errors.PortBusy, match=r"for prometheus is taken.*`PROMETHEUS_PORT=... make run-monitoring`"),
    ):
        machine.monitoring.bring_up()


def test_the_port_of_what_the_machine_does_not_have_may_be_busy(machine: Machine) -> None:
    machine.has("prometheus")
    with socket.create_server((ports.HOST, machine.settings.grafana_port)):
        machine.monitoring.bring_up()


def test_that_the_system_does_not_run_is_said_with_what_to_do(machine: Machine) -> None:
    machine.has("prometheus")

    machine.monitoring.bring_up()

    assert any("`make run` is not running: type it in another terminal" in line for line in machine.said)


def test_a_system_that_runs_is_asked_where_it_is(machine: Machine, tmp_path: Path) -> None:
    machine.has("prometheus")
    machine.write_run_settings(gateways=3)
    gateway = Sleeper(tmp_path, "gateway-1")
    gateway.start()
    try:
        pids.PidFile(machine.monitoring.state.pids, "gateway-1").write(gateway.pid or 0)
        machine.monitoring.bring_up()
    finally:
        gateway.kill()

    assert machine.asked()["gateway", "gateway"] == 3
    assert not any("make run" in line for line in machine.said)


def test_a_system_started_again_with_other_settings_is_followed(machine: Machine) -> None:
    machine.has("prometheus")
    machine.monitoring.bring_up()

    machine.write_run_settings(gateways=2, aggregates_workers=4)
    machine.monitoring.watch()

    assert (machine.asked()["gateway", "gateway"], machine.asked()["workers", "aggregates"]) == (2, 4)
    assert '"vector(4)"' in (machine.monitoring.state.monitoring / "rules" / "expected.yml").read_text()


def test_the_password_of_the_database_is_in_no_command_line(machine: Machine) -> None:
    machine.has(*ALL)

    machine.monitoring.bring_up()

    password = machine.monitoring.state.password()
    for name in ALL:
        assert password not in " ".join(stand_ins.told(machine.programs, name)["argv"])
    assert stand_ins.told(machine.programs, "prometheus-postgres-exporter")["env"]["DATA_SOURCE_PASS"] == password
    assert stand_ins.told(machine.programs, "grafana")["env"]["ALLEZONE_POSTGRES_PASSWORD"] == password


def test_grafana_is_a_container_where_docker_has_its_image_and_no_program_is_there(machine: Machine) -> None:
    machine.has("prometheus", "docker")

    machine.monitoring.bring_up()

    told = stand_ins.told(machine.programs, "docker")
    assert told["argv"][0] == "run"
    assert told["argv"][-1].startswith("grafana/grafana:")
    names = {name for flag, name in zip(told["argv"], told["argv"][1:], strict=False) if flag == "--env"}
    assert {name for name in told["env"] if name.startswith(("GF_", "ALLEZONE_"))} == names
    assert f"--volume={grafana.CONFIG}:/allezone:ro" in told["argv"]


def test_every_variable_of_grafanas_files_is_set(machine: Machine) -> None:
    machine.has("prometheus", "grafana")

    machine.monitoring.bring_up()

    environment = stand_ins.told(machine.programs, "grafana")["env"]
    local = grafana.CONFIG / "local" / "provisioning"
    words = [word for file in sorted(local.rglob("*.yaml")) for word in file.read_text().split() if word[0] == "$"]
    assert len(words) == 4
    assert {word[1:].partition("/")[0] for word in words} <= environment.keys()


def test_the_data_sources_are_some_of_the_clusters_by_uid_and_kind() -> None:
    here, cluster = (data_sources(folder) for folder in ("local/provisioning", "provisioning"))

    assert {uid for uid, _ in here} == {"prometheus", "postgres"}
    assert here <= cluster


def test_a_runner_that_starts_leaves_monitoring_alone(tmp_path: Path) -> None:
    watching = Sleeper(tmp_path, "prometheus")
    watching.start()
    try:
        pids.PidFile(tmp_path, "prometheus").write(watching.pid or 0)

        leftovers.end(tmp_path, layout.in_stop_order(pids.written(tmp_path)), lambda _text: None)

        assert watching.running
    finally:
        watching.kill()


def test_monitoring_that_starts_ends_what_a_killed_one_left_and_leaves_the_system_alone(
    machine: Machine, tmp_path: Path
) -> None:
    machine.has("prometheus")
    left, gateway = Sleeper(tmp_path, "prometheus"), Sleeper(tmp_path, "gateway-1")
    for server in (left, gateway):
        server.start()
        pids.PidFile(machine.monitoring.state.pids, server.name).write(server.pid or 0)
    try:
        machine.monitoring.bring_up()

        assert gateway.running
        assert not left.running
    finally:
        gateway.kill()


def test_state_is_not_forgotten_while_monitoring_runs(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIR", str(machine.settings.state_dir))

    with pytest.raises(errors.StateInUse, match="Monitoring already runs"):
        clean_state()

    assert machine.monitoring.state.monitoring.exists()


def test_the_names_that_stop_are_those_that_start(tmp_path: Path) -> None:
    settings = MonitoringSettings(state_dir=tmp_path)
    started = exporters.of(settings, State(tmp_path), settings)

    assert {exporter.name for exporter in started} | {"prometheus", "grafana"} == set(stack.NAMES)
    assert not layout.in_stop_order(stack.NAMES)


def data_sources(folder: str) -> set[tuple[str, str]]:
    """uid and type of each that is provisioned."""
    file = grafana.CONFIG / folder / "datasources" / "datasources.yaml"
    return {(source["uid"], source["type"]) for source in yaml.safe_load(file.read_text("utf-8"))["datasources"]}
