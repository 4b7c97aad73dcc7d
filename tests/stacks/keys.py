"""What `docker stack deploy` knows of a compose file.

The keys are those that the docker client's conversion to a swarm service reads (docker/cli, cli/compose/convert) and
that the schema of our files has (rendering.VERSION: no `start_interval`, no `driver_opts` of a service's network, which
are newer). The schema takes more than that: `restart`, `security_opt` and others with a warning, the short `tmpfs`,
`depends_on` and a good deal further inside (`tmpfs: {mode: ...}`, a network's gateway) without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Optional

Known = Mapping[str, Optional["Known"]]
"""What may be inside each key; None is anything. The key `*` stands for names of one's own choice."""


def _leaves(*names: str) -> Known:
    return dict.fromkeys(names)


_UPDATE: Final = _leaves("parallelism", "order", "delay", "monitor", "failure_action", "max_failure_ratio")
_FILE: Final = _leaves("source", "target", "uid", "gid", "mode")
_MADE: Final = _leaves("name", "file", "external", "labels", "driver", "driver_opts", "template_driver")

SERVICE: Final[Known] = {
    **_leaves("image", "command", "entrypoint", "hostname", "user", "working_dir", "environment", "labels"),
    **_leaves("read_only", "cap_add", "cap_drop", "sysctls", "stop_signal", "stop_grace_period"),
    "networks": {"*": _leaves("aliases")},
    "ports": _leaves("target", "published", "protocol", "mode"),
    "volumes": {
        **_leaves("type", "source", "target", "read_only"),
        "bind": _leaves("propagation"),
        "volume": _leaves("nocopy"),
        "tmpfs": _leaves("size"),
    },
    "secrets": _FILE,
    "configs": _FILE,
    "ulimits": {"*": _leaves("soft", "hard")},
    "healthcheck": _leaves("test", "interval", "timeout", "retries", "start_period", "disable"),
    "logging": _leaves("driver", "options"),
    "deploy": {
        **_leaves("mode", "replicas", "endpoint_mode", "labels"),
        "placement": {**_leaves("constraints", "max_replicas_per_node"), "preferences": _leaves("spread")},
        "resources": {
            "limits": _leaves("cpus", "memory", "pids"),
            "reservations": _leaves("cpus", "memory", "generic_resources"),
        },
        "restart_policy": _leaves("condition", "delay", "max_attempts", "window"),
        "update_config": _UPDATE,
        "rollback_config": _UPDATE,
    },
}
NETWORK: Final[Known] = {
    **_leaves("name", "driver", "driver_opts", "external", "internal", "attachable", "labels"),
    "ipam": {"driver": None, "config": _leaves("subnet")},
}
VOLUME: Final[Known] = _leaves("name", "driver", "driver_opts", "external", "labels")
FILE: Final[Known] = {
    "version": None,
    "services": {"*": SERVICE},
    "networks": {"*": NETWORK},
    "volumes": {"*": VOLUME},
    "secrets": {"*": _MADE},
    "configs": {"*": _MADE},
}


def ignored(part: Any, known: Known | None = FILE, path: str = "") -> Iterator[str]:
    """Paths of the keys of `part` that a deployment would drop."""
    if known is None:
        return
    if isinstance(part, list):
        for item in part:
            yield from ignored(item, known, path)
    if not isinstance(part, dict):
        return
    for key, inside in part.items():
        here = f"{path}.{key}".lstrip(".")
        if key not in known and "*" not in known:
            yield here
        else:
            yield from ignored(inside, known.get(key, known.get("*")), here)
