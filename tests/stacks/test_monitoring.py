"""What Prometheus asks is there, on a network that both are on, at the port that answers; and nobody is left out."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml

from tests.stacks import members, processes, rendering

FOLDER: Final = rendering.ROOT / "monitoring"
# Where metrics are, if not where health is asked.
_PORTS: Final = {"etcd": 2379}
# What has no metrics of its own form, and who asks it instead.
_ASKED_FOR: Final = {"kafka": "kafka-exporter", "aerospike": "aerospike-exporter"}


class Target(NamedTuple):
    """One name that Prometheus looks up, and the port that it asks there."""

    service: str
    port: int


def test_the_configuration_is_one() -> None:
    _promtool("check", "config", str(FOLDER / "prometheus" / "prometheus.yml"))


def test_a_broken_configuration_is_found(tmp_path: Path) -> None:
    path = tmp_path / "prometheus.yml"
    path.write_text("scrape_configs: [{ job_name: gateway, dns_sd_configs: [{ name: tasks.gateway }] }]")
    with pytest.raises(AssertionError):
        _promtool("check", "config", str(path))


def test_every_target_is_asked_where_it_answers() -> None:
    services = rendering.render_cluster().services
    for target in _targets():
        process = processes.of(target.service)
        assert target.service in services
        assert process is not None
        port = _PORTS.get(members.kind(target.service), _port_of_health(process.health))
        assert target.port == port, target
        assert set(services[target.service]["networks"]) & set(services["prometheus"]["networks"]), target


def test_nobody_is_left_out() -> None:
    stack = rendering.render_cluster()
    asked = {target.service for target in _targets()}
    for name, service in stack.services.items():
        if rendering.is_job(service) or name == "prometheus":
            continue
        instead = _ASKED_FOR.get(members.kind(name))
        assert name in asked or any(members.kind(each) == instead for each in asked), name


def test_an_exporter_asks_what_is_there() -> None:
    services = rendering.render_cluster().services
    for name, service in services.items():
        words = [*service.get("command", []), *map(str, service.get("environment", {}).values())]
        hosts = {found[1] for word in words if (found := re.search(r"\b((?:kafka|patroni|aerospike)\d)\b", word))}
        if "-exporter" in name and hosts:
            networks = set(service["networks"]) - {"monitoring"}
            assert all(networks & set(services[host]["networks"]) for host in hosts), name


def test_grafana_lets_nobody_in_without_a_password() -> None:
    grafana = rendering.render("2.stateless").services["grafana"]
    told = grafana["environment"]
    assert told["GF_AUTH_ANONYMOUS_ENABLED"] == "false"
    assert told["GF_USERS_ALLOW_SIGN_UP"] == "false"
    secrets = {f"/run/secrets/{each['target']}" for each in grafana["secrets"]}
    assert told["GF_SECURITY_ADMIN_PASSWORD__FILE"] in secrets


def test_grafana_has_its_data_from_services_that_it_reaches() -> None:
    services = rendering.render_cluster().services
    text = (FOLDER / "grafana" / "provisioning" / "datasources" / "datasources.yaml").read_text("utf-8")
    for source in yaml.safe_load(text)["datasources"]:
        host = source["url"].removeprefix("http://").partition(":")[0]
        assert set(services[host]["networks"]) & set(services["grafana"]["networks"]), source["name"]
        secret = source.get("secureJsonData", {}).get("password", "")
        assert not secret or _secret(secret) in {each["target"] for each in services["grafana"]["secrets"]}


def _targets() -> list[Target]:
    read: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus" / "prometheus.yml").read_text("utf-8"))
    found = [each for job in read["scrape_configs"] for each in job.get("dns_sd_configs", [])]
    return [Target(name.removeprefix("tasks."), each["port"]) for each in found for name in each["names"]]


def _port_of_health(health: str) -> int:
    found = re.search(r"healthcheck (\d+)|127\.0\.0\.1:(\d+)", health)
    assert found is not None, health
    return int(found[1] or found[2])


def _secret(text: str) -> str:
    return text.removeprefix("$__file{/run/secrets/").removesuffix("}")


def _promtool(*arguments: str) -> None:
    """Skipped by name without it, in CI as well, which tries to install Debian's."""
    if shutil.which("promtool") is None:
        pytest.skip("no promtool on this machine: Prometheus' configuration was not checked")
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
