"""A test that cannot fail proves nothing: each policy finds what is planted for it, in the real files."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.stacks import policies, rendering
from tests.stacks.rendering import Stack

Plant = Callable[[Stack], object]


def put(service: str, **parts: Any) -> Plant:
    """Keys of a service, replaced or added."""
    return lambda stack: stack.services[service].update(parts)


def drop(service: str, key: str) -> Plant:
    return lambda stack: stack.services[service].pop(key)


def within(service: str, path: str, **parts: Any) -> Plant:
    """The same deeper inside, `path` with dots. Anchors share what they merge, so each part is copied before."""

    def plant(stack: Stack) -> None:
        part = stack.services[service]
        for key in path.split("."):
            part[key] = dict(part[key])
            part = part[key]
        part.update(parts)

    return plant


def variable(service: str, name: str, value: str) -> Plant:
    """One variable of a service's environment."""
    return within(service, "environment", **{name: value})


def network(name: str, **parts: Any) -> Plant:
    return lambda stack: stack.networks[name].update(parts)


def secret(name: str, value: dict[str, Any]) -> Plant:
    return lambda stack: stack.secrets.update({name: value})


STATEFUL, STATELESS = "1.stateful", "2.stateless"

PLANTED: Final[list[tuple[policies.Policy, str, Plant, str]]] = [
    (policies.images_are_pinned, STATEFUL, put("kafka1", image="apache/kafka:latest"), "kafka1"),
    (policies.images_are_pinned, STATELESS, put("edge", image=f"{rendering.REGISTRY}/allezone-haproxy"), "edge"),
    (policies.images_are_pinned, STATELESS, drop("edge", "image"), "edge"),
    (policies.users_are_numbers_and_not_root, STATEFUL, put("etcd1", user="0:0"), "etcd1"),
    (policies.users_are_numbers_and_not_root, STATEFUL, put("etcd1", user="10002"), "etcd1"),
    (policies.users_are_numbers_and_not_root, STATELESS, drop("gateway", "user"), "gateway"),
    (policies.roots_are_read_only, STATEFUL, put("patroni1", read_only=False), "patroni1"),
    (policies.roots_are_read_only, STATELESS, drop("roles", "read_only"), "roles"),
    (policies.no_capabilities, STATEFUL, put("kafka3", cap_drop=["NET_RAW"]), "kafka3"),
    (policies.no_capabilities, STATEFUL, put("kafka3", cap_add=["SYS_ADMIN"]), "kafka3"),
    (policies.logs_are_bounded, STATELESS, put("gateway", logging={"driver": "json-file"}), "gateway"),
    (policies.resources_are_limited, STATELESS, within("edge", "deploy.resources", limits={"cpus": "1"}), "edge"),
    (
        policies.resources_are_limited,
        STATELESS,
        within("edge", "deploy.resources.reservations", memory="2G"),
        "edge: reserves more",
    ),
    (policies.health_is_the_processs_own, STATEFUL, put("etcd1", healthcheck={"disable": True}), "etcd1"),
    (policies.health_is_the_processs_own, STATEFUL, drop("kafka1", "healthcheck"), "kafka1"),
    (
        policies.health_is_the_processs_own,
        STATEFUL,
        within("etcd1", "healthcheck", test=["CMD", "etcdctl", "endpoint", "health"]),
        "etcd1",
    ),
    (
        policies.health_is_the_processs_own,
        STATEFUL,
        within("patroni2", "healthcheck", test=["CMD", "healthcheck", "8008", "/readiness"]),
        "patroni2",
    ),
    (
        policies.health_is_the_processs_own,
        STATELESS,
        within("gateway", "healthcheck", test=["CMD", "healthcheck", "8089", "/readyz"]),
        "gateway",
    ),
    (
        policies.health_is_the_processs_own,
        STATEFUL,
        within("kafka2", "healthcheck", test=["CMD", "kafka-topics.sh", "--bootstrap-server", "kafka1:9092"]),
        "kafka2",
    ),
    (policies.health_is_the_processs_own, STATELESS, put("topics", healthcheck={"test": ["CMD", "true"]}), "topics"),
    (policies.stopping_takes_its_time, STATEFUL, drop("kafka1", "stop_grace_period"), "kafka1"),
    (policies.no_key_is_ignored, STATELESS, put("gateway", tmpfs=["/scratch"]), "tmpfs"),
    (policies.no_key_is_ignored, STATELESS, put("gateway", security_opt=["no-new-privileges"]), "security_opt"),
    (policies.no_key_is_ignored, STATELESS, put("gateway", restart="always"), "restart"),
    (policies.no_key_is_ignored, STATELESS, put("gateway", depends_on=["topics"]), "depends_on"),
    (policies.no_key_is_ignored, STATEFUL, put("patroni1", shm_size="1g"), "shm_size"),
    (policies.no_key_is_ignored, STATEFUL, put("patroni1", devices=["/dev/watchdog"]), "devices"),
    (policies.no_key_is_ignored, STATELESS, within("edge", "deploy.placement", antiaffinity="x"), "antiaffinity"),
    (
        policies.secrets_are_files,
        STATEFUL,
        variable("patroni1", "PATRONI_SUPERUSER_PASSWORD", "9f8e7d6c5b4a"),
        "PATRONI_SUPERUSER_PASSWORD",
    ),
    (
        policies.secrets_are_files,
        STATELESS,
        variable("gateway", "DB_PASSWORD_FILE", "/run/secrets/db_owner"),
        "no secret of this service",
    ),
    (
        policies.secrets_are_files,
        STATELESS,
        variable("gateway", "DB_HOST", "postgresql://gateway:9f8e7d@postgres-proxy/allezone"),
        "DB_HOST",
    ),
    (policies.secrets_have_owners_and_uses, STATELESS, put("roles", secrets=["root_of_all"]), "root_of_all"),
    (policies.secrets_have_owners_and_uses, STATELESS, secret("unused", {"external": True}), "unused"),
    (policies.only_the_edge_publishes_ports, STATELESS, put("gateway", ports=["8088:8088"]), "gateway"),
    (policies.only_the_edge_publishes_ports, STATEFUL, put("kafka1", ports=["9092:9092"]), "kafka1"),
    (
        policies.nothing_of_the_host_is_mounted,
        STATELESS,
        put("edge", volumes=["/var/run/docker.sock:/var/run/docker.sock:ro"]),
        "docker.sock",
    ),
    (
        policies.nothing_of_the_host_is_mounted,
        STATELESS,
        put("edge", volumes=[{"type": "bind", "source": "/var/run/docker.sock", "target": "/docker.sock"}]),
        "docker.sock",
    ),
    (policies.nothing_of_the_host_is_mounted, STATELESS, put("edge", volumes=[{"type": "tmpfs"}]), "edge"),
    (policies.networks_are_chosen, STATELESS, put("gateway", networks=[]), "gateway"),
    (policies.networks_are_chosen, STATELESS, drop("topics", "networks"), "topics"),
    (policies.networks_are_chosen, STATELESS, put("gateway", networks=["default"]), "default"),
    (policies.networks_hold_only_who_needs_them, STATELESS, put("edge", networks=["edge", "postgres"]), "postgres"),
    (policies.networks_hold_only_who_needs_them, STATELESS, put("aggregates", networks=["aerospike"]), "aerospike"),
    (policies.networks_hold_only_who_needs_them, STATEFUL, put("kafka1", networks=["patroni"]), "patroni"),
    (policies.networks_are_closed, STATEFUL, network("aerospike", internal=False), "aerospike"),
    (policies.networks_are_encrypted, STATEFUL, network("kafka", driver_opts={}), "kafka"),
    (policies.secrets_are_dockers_and_versioned, STATELESS, secret("db_owner", {"file": "password.txt"}), "db_owner"),
    (
        policies.secrets_are_dockers_and_versioned,
        STATELESS,
        secret("db_owner", {"external": True, "name": "allezone_db_owner"}),
        "db_owner",
    ),
    (policies.updates_are_rolled_back, STATELESS, within("gateway", "deploy", update_config={}), "gateway"),
    (
        policies.updates_are_rolled_back,
        STATELESS,
        within("gateway", "deploy.update_config", failure_action="continue"),
        "gateway",
    ),
    (policies.updates_are_rolled_back, STATELESS, within("gateway", "deploy", rollback_config={}), "gateway"),
    (
        policies.updates_are_rolled_back,
        STATEFUL,
        within("kafka1", "deploy.update_config", order="start-first"),
        "share a volume",
    ),
    (
        policies.updates_are_rolled_back,
        STATELESS,
        within("edge", "deploy.update_config", order="start-first"),
        "share a volume or a port",
    ),
    (policies.updates_are_rolled_back, STATELESS, within("gateway", "deploy.update_config", monitor="5s"), "watched"),
    (
        policies.updates_are_rolled_back,
        STATELESS,
        within("gateway", "deploy.restart_policy", condition="none"),
        "not started again",
    ),
    (policies.updates_are_rolled_back, STATELESS, within("topics", "deploy", restart_policy={}), "topics"),
    (policies.services_are_placed, STATELESS, within("gateway", "deploy.placement", constraints=[]), "gateway"),
    (policies.services_are_placed, STATELESS, within("gateway", "deploy.placement", max_replicas_per_node=4), "room"),
    (
        policies.data_has_one_home,
        STATEFUL,
        within("kafka1", "deploy.placement", constraints=["node.labels.gateway == true"]),
        "no node of its own",
    ),
    (policies.data_has_one_home, STATEFUL, within("kafka1", "deploy", replicas=2), "not one task"),
    (policies.data_has_one_home, STATEFUL, put("kafka1", hostname="kafka2"), "not one task"),
    (
        policies.databases_share_no_node,
        STATEFUL,
        within("kafka2", "deploy.placement", constraints=["node.labels.service == kafka1"]),
        "kafka1: is the node of 2",
    ),
    (
        policies.databases_share_no_node,
        STATEFUL,
        within("patroni1", "deploy.placement", constraints=["node.labels.service == aerospike1"]),
        "aerospike1: is the node of 2",
    ),
    (policies.names_are_addresses_of_tasks, STATEFUL, within("etcd1", "deploy", endpoint_mode="vip"), "etcd1"),
    (policies.names_are_addresses_of_tasks, STATELESS, put("edge", ports=["443:8443"]), "ingress"),
]


@pytest.mark.parametrize(
    ("policy", "name", "plant", "said"),
    PLANTED,
    ids=lambda part: part.__name__ if callable(part) and part.__name__ != "<lambda>" else None,
)
def test_what_is_planted_is_found(policy: policies.Policy, name: str, plant: Plant, said: str) -> None:
    stack = rendering.render(name)
    plant(stack)
    assert any(said in sentence for sentence in policy(stack)), list(policy(stack))


def test_every_policy_has_a_violation_planted_for_it() -> None:
    planted = {policy.__name__ for policy, *_ in PLANTED}
    assert {policy.__name__ for policy in policies.EVERYWHERE + policies.IN_A_CLUSTER} == planted
