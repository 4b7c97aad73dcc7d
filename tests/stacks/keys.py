"""What `docker stack deploy` knows of a compose file, and who belongs on which network.

The keys are those that the docker client's conversion to a swarm service reads (docker/cli, cli/compose/convert, in
version 28). Its schema takes more than that: `restart`, `security_opt` and others with a warning, the short `tmpfs` and
`depends_on` without a word.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

TOP_LEVEL: Final = {"version", "configs"}
SERVICE: Final = {
    "image",
    "command",
    "entrypoint",
    "hostname",
    "user",
    "working_dir",
    "environment",
    "labels",
    "networks",
    "ports",
    "volumes",
    "secrets",
    "configs",
    "read_only",
    "cap_add",
    "cap_drop",
    "sysctls",
    "ulimits",
    "stop_signal",
    "stop_grace_period",
    "healthcheck",
    "logging",
    "deploy",
}
DEPLOY: Final = {
    "mode",
    "replicas",
    "endpoint_mode",
    "labels",
    "placement",
    "resources",
    "restart_policy",
    "update_config",
    "rollback_config",
}
PLACEMENT: Final = {"constraints", "preferences", "max_replicas_per_node"}
LIMITS: Final = {"cpus", "memory", "pids"}
UPDATE: Final = {"parallelism", "order", "delay", "monitor", "failure_action", "max_failure_ratio"}

# Network: the services that may be on it, as a regular expression. One that is not here has none.
MEMBERS: Final = {
    "public": "edge",
    "edge": "edge|gateway",
    "kafka": r"kafka\d?|gateway|aggregates|profiles|topics",
    "patroni": r"patroni\d|etcd\d",
    "databases": r"patroni\d|postgres-proxy",
    "postgres": r"postgres|postgres-proxy|gateway|aggregates|profiles|roles|migrations",
    "aerospike": r"aerospike\d|gateway|profiles",
}


def ignored(service: Mapping[str, Any]) -> Iterator[str]:
    """Paths of the keys of a service that a deployment would drop."""
    deploy = service.get("deploy", {})
    yield from _beyond("", service, SERVICE)
    yield from _beyond("deploy.", deploy, DEPLOY)
    yield from _beyond("deploy.placement.", deploy.get("placement", {}), PLACEMENT)
    yield from _beyond("deploy.resources.limits.", deploy.get("resources", {}).get("limits", {}), LIMITS)
    for part in ("update_config", "rollback_config"):
        yield from _beyond(f"deploy.{part}.", deploy.get(part, {}), UPDATE)


def _beyond(path: str, part: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    for key in sorted(part.keys() - known):
        yield f"{path}{key}"
