"""What the stacks tell our processes is what those processes take: no variable is misspelt, and none is missing."""

from pathlib import Path
from typing import Any, Final

import pytest

from gateway.settings import GatewaySettings
from pipeline.settings import AggregatesSettings, ProfilesSettings
from runtime.settings import DatabaseSettings, KafkaSettings, Settings
from stores.role_settings import RoleSettings
from tests.stacks import rendering
from tests.stacks.durations import seconds

PROCESSES: Final[dict[str, type[Settings]]] = {
    "gateway": GatewaySettings,
    "aggregates": AggregatesSettings,
    "profiles": ProfilesSettings,
    "topics": KafkaSettings,
    "roles": RoleSettings,
    "migrations": DatabaseSettings,
}
_ENDS_WITHIN: Final = {"gateway": 20.0, "edge": 25.0}  # gateway/server.py, hard-stop-after in edge.cfg


def test_every_process_of_ours_is_looked_at() -> None:
    services = rendering.render("2.stateless").services
    assert {name for name, service in services.items() if "application" in service["image"]} == PROCESSES.keys()


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_knows_every_variable(name: str) -> None:
    known = {field.upper() for field in PROCESSES[name].model_fields}
    told = {variable.removesuffix("_FILE") if variable not in known else variable for variable in _environment(name)}
    assert told <= known


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_starts_with_what_it_is_told(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, (variable, value) in enumerate(_environment(name).items()):
        if str(value).startswith("/run/secrets/"):
            value = tmp_path / variable
            value.write_text(f"a secret that is long enough {number}")
        monkeypatch.setenv(variable, str(value))
    settings = PROCESSES[name]()
    assert settings.environment == "production"


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_of_the_one_machine_form_has_not_crept_in(name: str) -> None:
    """`local` would take empty passwords and no tokens."""
    assert "ENVIRONMENT" not in _environment(name)


@pytest.mark.parametrize("name", _ENDS_WITHIN)
def test_nothing_is_killed_before_its_own_end(name: str) -> None:
    grace = rendering.render("2.stateless").services[name]["stop_grace_period"]
    assert seconds(grace) > _ENDS_WITHIN[name]


def test_only_the_edges_own_network_is_believed() -> None:
    stack = rendering.render("2.stateless")
    subnet = stack.networks["edge"]["ipam"]["config"][0]["subnet"]
    assert _environment("gateway")["TRUSTED_PROXIES"] == subnet


def test_health_is_asked_on_the_port_that_has_it() -> None:
    services = rendering.render("2.stateless").services
    for name, variable in (("gateway", "INTERNAL_PORT"), ("aggregates", "PROBE_PORT"), ("profiles", "PROBE_PORT")):
        assert str(services[name]["environment"][variable]) in services[name]["healthcheck"]["test"]


def _environment(name: str) -> dict[str, Any]:
    environment: dict[str, Any] = rendering.render("2.stateless").services[name]["environment"]
    return environment
