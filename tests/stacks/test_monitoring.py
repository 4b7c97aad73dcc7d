"""What Prometheus asks is there, on a network that both are on, at the port that answers; and nobody is left out."""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import yaml

from monitoring import expected
from tests.stacks import members, processes, rendering

FOLDER: Final = rendering.ROOT / "monitoring"
# Where metrics are, if not where health is asked: by job.
_PORTS: Final = {"etcd": 2379, "kafka-jmx": 9404, "certificate": 8443}
# What has no metrics of its own form, and who asks it instead.
_ASKED_FOR: Final = {"aerospike": "aerospike-exporter"}


class Target(NamedTuple):
    """One name that Prometheus looks up, the port that is asked there, and who asks."""

    job: str
    service: str
    port: int
    asker: str


def test_every_target_is_asked_where_it_answers() -> None:
    services = rendering.render_cluster().services
    for target in [*_targets(), *_alertmanagers()]:
        process = processes.of(target.service)
        assert target.service in services
        assert process is not None
        assert target.port == _PORTS.get(target.job, _port_of_health(process.health)), target
        assert set(services[target.service]["networks"]) & set(services[target.asker]["networks"]), target


def test_a_broker_is_asked_where_its_agent_answers() -> None:
    services = rendering.render("1.stateful").services
    for target in _targets():
        if target.job == "kafka-jmx":
            told = services[target.service]["environment"]["EXTRA_ARGS"]
            assert f"-javaagent:/opt/jmx/jmx_prometheus_javaagent.jar={target.port}:/opt/jmx/jmx.yaml" in told


def test_an_edge_is_asked_for_its_certificate_where_it_shows_it() -> None:
    text = (rendering.ROOT / "services" / "haproxy" / "edge.cfg").read_text("utf-8")
    (target,) = [target for target in _targets() if target.job == "certificate"]
    assert f"bind :{target.port} ssl crt" in text
    modules = yaml.safe_load((FOLDER / "blackbox" / "blackbox.yml").read_text("utf-8"))["modules"]
    assert [modules[name]["tcp"]["tls"] for name in _job("certificate")["params"]["module"]] == [True]


def test_who_asks_for_prometheus_answers_where_it_is_asked_to() -> None:
    address = _job("certificate")["relabel_configs"][-1]["replacement"]
    process = processes.of(address.partition(":")[0])
    assert process is not None
    assert int(address.partition(":")[2]) == _port_of_health(process.health)


def test_every_target_has_the_name_of_its_service_as_a_label() -> None:
    """An exporter's label is of what it asks."""
    services = rendering.render_cluster().services
    for target in expected.targets():
        assert target.service in services, target
        if target.task_of is not None and "-exporter" not in target.task_of:
            assert target.service == target.task_of


def test_nobody_is_left_out() -> None:
    stack = rendering.render_cluster()
    targets = _targets()
    asked = {target.service for target in targets} | {target.asker for target in targets}
    for name, service in stack.services.items():
        if rendering.is_job(service):
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
    return [target for job in _configuration()["scrape_configs"] for target in _found_by(job, job["job_name"])]


def _alertmanagers() -> list[Target]:
    every = _configuration()["alerting"]["alertmanagers"]
    found = [target for each in every for target in _found_by(each, "alerting")]
    assert found
    return found


def _found_by(job: dict[str, Any], name: str) -> Iterator[Target]:
    """Who asks instead of Prometheus is what a relabelling puts in the address's place."""
    instead = [rule for rule in job.get("relabel_configs", []) if rule.get("target_label") == "__address__"]
    asker = instead[0]["replacement"].partition(":")[0] if instead else "prometheus"
    for each in job.get("dns_sd_configs", []):
        for looked_up in each["names"]:
            yield Target(name, looked_up.removeprefix("tasks."), each["port"], asker)


def _job(name: str) -> dict[str, Any]:
    (found,) = [job for job in _configuration()["scrape_configs"] if job["job_name"] == name]
    return dict(found)


def _configuration() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus" / "prometheus.yml").read_text("utf-8"))
    return read


def _port_of_health(health: str) -> int:
    found = re.search(r"healthcheck (\d+)|127\.0\.0\.1:(\d+)", health)
    assert found is not None, health
    return int(found[1] or found[2])


def _secret(text: str) -> str:
    return text.removeprefix("$__file{/run/secrets/").removesuffix("}")
