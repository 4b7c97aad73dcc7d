"""Violations of the policies in containers.py."""

from typing import Final

from tests.stacks import rendering
from tests.stacks.planted.planting import STATEFUL, STATELESS, Planted, drop, network, put, within
from tests.stacks.policies import containers

PLANTED: Final[list[Planted]] = [
    (containers.images_are_pinned, STATEFUL, put("kafka1", image="apache/kafka:latest"), "kafka1"),
    (containers.images_are_pinned, STATELESS, put("edge", image=f"{rendering.REGISTRY}/allezone-haproxy"), "edge"),
    (containers.images_are_pinned, STATELESS, drop("edge", "image"), "edge"),
    (containers.users_are_numbers_and_not_root, STATEFUL, put("etcd1", user="0:0"), "etcd1"),
    (containers.users_are_numbers_and_not_root, STATEFUL, put("etcd1", user="10002"), "etcd1"),
    (containers.users_are_numbers_and_not_root, STATELESS, drop("gateway", "user"), "gateway"),
    (containers.roots_are_read_only, STATEFUL, put("patroni1", read_only=False), "patroni1"),
    (containers.roots_are_read_only, STATELESS, drop("roles", "read_only"), "roles"),
    (containers.no_capabilities, STATEFUL, put("kafka3", cap_drop=["NET_RAW"]), "kafka3"),
    (containers.no_capabilities, STATEFUL, put("kafka3", cap_add=["SYS_ADMIN"]), "kafka3"),
    (containers.logs_are_bounded, STATELESS, put("gateway", logging={"driver": "json-file"}), "gateway"),
    (containers.resources_are_limited, STATELESS, within("edge", "deploy.resources", limits={"cpus": "1"}), "edge"),
    (
        containers.resources_are_limited,
        STATELESS,
        within("edge", "deploy.resources.reservations", memory="2G"),
        "edge: reserves more",
    ),
    (containers.health_is_the_processs_own, STATEFUL, put("etcd1", healthcheck={"disable": True}), "etcd1"),
    (containers.health_is_the_processs_own, STATEFUL, drop("kafka1", "healthcheck"), "kafka1"),
    (
        containers.health_is_the_processs_own,
        STATEFUL,
        within("etcd1", "healthcheck", test=["CMD", "etcdctl", "endpoint", "health"]),
        "etcd1",
    ),
    (
        containers.health_is_the_processs_own,
        STATEFUL,
        within("patroni2", "healthcheck", test=["CMD", "healthcheck", "8008", "/readiness"]),
        "patroni2",
    ),
    (
        containers.health_is_the_processs_own,
        STATELESS,
        within("gateway", "healthcheck", test=["CMD", "healthcheck", "8089", "/readyz"]),
        "gateway",
    ),
    (
        containers.health_is_the_processs_own,
        STATEFUL,
        within("kafka2", "healthcheck", test=["CMD", "kafka-topics.sh", "--bootstrap-server", "kafka1:9092"]),
        "kafka2",
    ),
    (containers.health_is_the_processs_own, STATELESS, put("topics", healthcheck={"test": ["CMD", "true"]}), "topics"),
    (containers.stopping_takes_its_time, STATEFUL, drop("kafka1", "stop_grace_period"), "kafka1"),
    (containers.no_key_is_ignored, STATELESS, put("gateway", tmpfs=["/scratch"]), "tmpfs"),
    (containers.no_key_is_ignored, STATELESS, put("gateway", security_opt=["no-new-privileges"]), "security_opt"),
    (containers.no_key_is_ignored, STATELESS, put("gateway", restart="always"), "restart"),
    (containers.no_key_is_ignored, STATELESS, put("gateway", depends_on=["topics"]), "depends_on"),
    (containers.no_key_is_ignored, STATEFUL, put("patroni1", shm_size="1g"), "shm_size"),
    (containers.no_key_is_ignored, STATEFUL, put("patroni1", devices=["/dev/watchdog"]), "devices"),
    (containers.no_key_is_ignored, STATELESS, within("edge", "deploy.placement", antiaffinity="x"), "antiaffinity"),
    (
        containers.nothing_of_the_host_is_mounted,
        STATELESS,
        put("edge", volumes=["/var/run/docker.sock:/var/run/docker.sock:ro"]),
        "docker.sock",
    ),
    (
        containers.nothing_of_the_host_is_mounted,
        STATELESS,
        put("edge", volumes=[{"type": "bind", "source": "/var/run/docker.sock", "target": "/docker.sock"}]),
        "docker.sock",
    ),
    (containers.nothing_of_the_host_is_mounted, STATELESS, put("edge", volumes=[{"type": "tmpfs"}]), "edge"),
    # A port of the same container that opens only with a quorum, and one of a peer.
    (
        containers.health_is_the_processs_own,
        STATEFUL,
        within("kafka1", "healthcheck", test=["CMD", "healthcheck", "9092"]),
        "kafka1",
    ),
    (
        containers.health_is_the_processs_own,
        STATEFUL,
        within("etcd2", "healthcheck", test=["CMD", "healthcheck", "2379"]),
        "etcd2",
    ),
    (
        containers.health_is_the_processs_own,
        STATELESS,
        within("gateway", "healthcheck", test=["CMD", "healthcheck", "8088", "/healthz"]),
        "gateway",
    ),
    (containers.stopping_takes_its_time, STATELESS, put("gateway", stop_grace_period="20s"), "gateway: is killed"),
    (containers.stopping_takes_its_time, STATELESS, put("profiles", stop_grace_period="1s"), "profiles: is killed"),
    (containers.stopping_takes_its_time, STATEFUL, put("patroni3", stop_grace_period="30s"), "patroni3: is killed"),
    (containers.stopping_takes_its_time, STATEFUL, put("kafka2", stop_grace_period="10s"), "kafka2: is killed"),
    (
        containers.no_key_is_ignored,
        STATELESS,
        put("gateway", volumes=[{"type": "tmpfs", "target": "/scratch", "tmpfs": {"size": 1, "mode": 0o1777}}]),
        "gateway.volumes.tmpfs.mode",
    ),
    (
        containers.no_key_is_ignored,
        STATELESS,
        within("gateway", "healthcheck", start_after="5s"),
        "gateway.healthcheck.start_after",
    ),
    (
        containers.no_key_is_ignored,
        STATEFUL,
        within("kafka1", "deploy.restart_policy", maximum_attempts=3),
        "kafka1.deploy.restart_policy.maximum_attempts",
    ),
    (
        containers.no_key_is_ignored,
        STATEFUL,
        within("kafka1", "deploy.resources.reservations", pids=3),
        "kafka1.deploy.resources.reservations.pids",
    ),
    (
        containers.no_key_is_ignored,
        STATELESS,
        network("edge", ipam={"config": [{"subnet": "10.201.0.0/24", "gateway": "10.201.0.1"}]}),
        "networks.edge.ipam.config.gateway",
    ),
    (
        containers.no_key_is_ignored,
        STATELESS,
        put("edge", secrets=[{"source": "edge_certificate", "owner": "99"}]),
        "edge.secrets.owner",
    ),
]
