"""What the stacks tell our processes is what those processes take: no variable is misspelt, and none is missing."""

import re
from pathlib import Path
from typing import Any, Final

import pytest

from gateway.settings import GatewaySettings
from pipeline.settings import AggregatesSettings, ProfilesSettings
from runtime.settings import DatabaseSettings, KafkaSettings, Settings
from stores.role_settings import RoleSettings
from tests.stacks import processes, rendering
from tests.stacks.durations import seconds

PROCESSES: Final[dict[str, type[Settings]]] = {
    "gateway": GatewaySettings,
    "aggregates": AggregatesSettings,
    "profiles": ProfilesSettings,
    "topics": KafkaSettings,
    "roles": RoleSettings,
    "migrations": DatabaseSettings,
}
FILES: Final = ("2.stateless", "small")

each_process = pytest.mark.parametrize("name", PROCESSES)
each_file = pytest.mark.parametrize("file", FILES)


@each_file
def test_every_process_of_ours_is_looked_at(file: str) -> None:
    services = rendering.render(file).services
    assert {name for name, service in services.items() if "application" in service["image"]} == PROCESSES.keys()


@each_file
@each_process
def test_a_process_knows_every_variable(file: str, name: str) -> None:
    known = {field.upper() for field in PROCESSES[name].model_fields}
    told = _environment(file, name)
    assert {variable.removesuffix("_FILE") if variable not in known else variable for variable in told} <= known


@each_file
@each_process
def test_a_process_starts_with_what_it_is_told(
    file: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, (variable, value) in enumerate(_environment(file, name).items()):
        if str(value).startswith("/run/secrets/"):
            value = tmp_path / variable
            value.write_text(f"a secret that is long enough {number}")
        monkeypatch.setenv(variable, str(value))
    settings = PROCESSES[name]()
    assert settings.environment == "production"


@each_file
@each_process
def test_a_process_of_the_one_machine_form_has_not_crept_in(file: str, name: str) -> None:
    """`local` would take empty passwords and no tokens."""
    assert "ENVIRONMENT" not in _environment(file, name)


@each_file
def test_what_a_process_asks_for_is_a_service_of_the_file(file: str) -> None:
    """A host that is misspelt would be found out by nobody before it is deployed."""
    services = {**rendering.render(file).services, **(rendering.render_cluster().services if file != "small" else {})}
    for name in PROCESSES:
        told = _environment(file, name)
        hosts = [told.get("DB_HOST", "")] + [
            host.partition(":")[0]
            for key in ("KAFKA_HOSTS", "AEROSPIKE_HOSTS")
            for host in told.get(key, "").split(",")
        ]
        assert {host for host in hosts if host} <= services.keys()


def test_the_edge_ends_within_the_time_that_its_policy_knows() -> None:
    text = (rendering.ROOT / "services" / "haproxy" / "edge.cfg").read_text("utf-8")
    found = re.search(r"^\s*hard-stop-after (\w+)$", text, re.MULTILINE)
    edge = processes.of("edge")
    assert found is not None
    assert edge is not None
    assert seconds(found[1]) == edge.ends_within


@pytest.mark.parametrize("chosen", [{}, {"EDGE_SUBNET": "172.30.9.0/24"}])
def test_only_the_edges_own_network_is_believed(chosen: dict[str, str]) -> None:
    stack = rendering.render("2.stateless", rendering.environment() | chosen)
    subnet = stack.networks["edge"]["ipam"]["config"][0]["subnet"]
    assert stack.services["gateway"]["environment"]["TRUSTED_PROXIES"] == subnet
    assert subnet == chosen.get("EDGE_SUBNET", "10.201.0.0/24")


def test_databases_are_of_utf8_whatever_the_locale_of_their_image_is() -> None:
    """Of one without an encoding psycopg gives texts as bytes, and no worker starts."""
    small = rendering.render("small").services["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
    patroni = (rendering.ROOT / "services" / "postgres" / "patroni.yaml").read_text("utf-8")
    assert "--encoding=UTF8" in small.split()
    assert re.search(r"initdb:\n(?:\s+- .*\n)*?\s+- encoding: UTF8\n", patroni)


@each_file
def test_health_is_asked_on_the_port_that_has_it(file: str) -> None:
    services = rendering.render(file).services
    for name, variable in (("gateway", "INTERNAL_PORT"), ("aggregates", "PROBE_PORT"), ("profiles", "PROBE_PORT")):
        assert str(services[name]["environment"][variable]) in services[name]["healthcheck"]["test"]


def test_values_of_several_words_are_shown_as_deployment_env_takes_them() -> None:
    """Bash reads the file: of `NAME=one two` it would run `two`."""
    text = (rendering.STACKS / "README.md").read_text("utf-8")
    table = text.partition("## deployment.env\n")[2].partition("\n## ")[0]
    commands = {"docker stack deploy", "secrets make"}
    values = [shown for shown in re.findall(r"`([^`]+)`", table) if " " in shown and shown not in commands]
    assert '"-Xms1g -Xmx1g"' in values
    assert [value for value in values if not re.fullmatch(r'"[^"$]+"', value)] == []


def _environment(file: str, name: str) -> dict[str, Any]:
    environment: dict[str, Any] = rendering.render(file).services[name]["environment"]
    return environment
