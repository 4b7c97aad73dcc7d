"""Writes Patroni's configuration from patroni.yaml, the environment and the secrets, and becomes the given command.

Patroni itself takes passwords from its configuration or from the environment, where `docker inspect` shows them;
Docker's secrets are files. The outcome lies in RUN_DIR, a tmpfs, readable by its owner alone.
"""

import json
import os
import string
import sys
from collections.abc import Mapping
from pathlib import Path

# What a container has; a trial on one machine sets its own.
DEFAULTS = {
    "POSTGRES_LISTEN": "0.0.0.0:5432",
    "API_LISTEN": "0.0.0.0:8008",
    "DATA_DIR": "/var/lib/postgresql/18/patroni",
    "BIN_DIR": "/usr/lib/postgresql/18/bin",
    "RUN_DIR": "/run/patroni",
    "SHARED_BUFFERS": "512MB",
}
SECRETS = ("SUPERUSER_PASSWORD", "REPLICATION_PASSWORD", "REWIND_PASSWORD", "API_PASSWORD")
LEAST_LENGTH = 16
TEMPLATE = Path(__file__).with_name("patroni.yaml")


class Unusable(Exception):
    """The environment cannot be used; the message says what to set."""


def values(environment: Mapping[str, str]) -> dict[str, str]:
    """Every name in the template with its value. Raises Unusable."""
    found = {name: environment.get(name, default) for name, default in DEFAULTS.items()}
    for name in ("NODE_NAME", "ETCD_HOSTS"):
        found[name] = _required(environment, name)
    found["POSTGRES_ADDRESS"] = environment.get("POSTGRES_ADDRESS", f"{found['NODE_NAME']}:5432")
    found["API_ADDRESS"] = environment.get("API_ADDRESS", f"{found['NODE_NAME']}:8008")
    return found | {name: _secret(environment, name) for name in SECRETS}


def fill(template: str, found: Mapping[str, str]) -> str:
    """The template with every value as a JSON string, which is a YAML string whatever it contains."""
    run_dir = found["RUN_DIR"]
    return string.Template(template.replace("${RUN_DIR}/pgpass", json.dumps(f"{run_dir}/pgpass"))).substitute(
        {name: json.dumps(value) for name, value in found.items()}
    )


def _required(environment: Mapping[str, str], name: str) -> str:
    if not environment.get(name):
        message = f"{name} is not set"
        raise Unusable(message)
    return environment[name]


def _secret(environment: Mapping[str, str], name: str) -> str:
    if name in environment:
        message = f"{name} is set in the environment, where everybody can read it: set {name}_FILE"
        raise Unusable(message)
    path = _required(environment, f"{name}_FILE")
    try:
        secret = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{name}_FILE: {path} cannot be read: {error}"
        raise Unusable(message) from error
    if len(secret) < LEAST_LENGTH:
        message = f"{name}_FILE: {path} holds under {LEAST_LENGTH} characters: make a random one (stacks/secrets)"
        raise Unusable(message)
    return secret


def main(command: list[str]) -> None:
    """Write the configuration and become `command` with its path as the last argument, or exit with status 2."""
    try:
        found = values(os.environ)
        text = fill(TEMPLATE.read_text(encoding="utf-8"), found)
    except Unusable as error:
        sys.stderr.write(f"configure: {error}\n")
        sys.exit(2)
    path = Path(found["RUN_DIR"], "patroni.yaml")
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    os.execvp(command[0], [*command, str(path)])  # noqa: S606  no shell: this process becomes Patroni


if __name__ == "__main__":
    main(sys.argv[1:])
