"""Writes Patroni's configuration from patroni.yaml, the environment and the secrets, and becomes the given command.

Patroni itself takes passwords from its configuration or from the environment, where `docker inspect` shows them;
Docker's secrets are files. The outcome lies in RUN_DIR, a tmpfs, readable by its owner alone.

With BACKUP_BUCKET set, pgBackRest's configuration is written too, WAL is archived, and backups.py runs beside Patroni.
"""

import json
import os
import shlex
import string
import subprocess
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
# Backups are off without a bucket. RESTORE_TARGET, `latest` or a time with its zone, makes a new cluster from a backup.
BACKUP_DEFAULTS = {
    "BACKUP_BUCKET": "",
    "BACKUP_REGION": "us-east-1",
    "BACKUP_URI_STYLE": "host",
    "BACKUP_PATH": "/allezone",
    "BACKUP_CA_FILE": "/etc/ssl/certs/ca-certificates.crt",
    "BACKUP_KEEP": "7",
    "BACKUP_EVERY_HOURS": "24",
    "BACKUP_ROUND_SECONDS": "60",
    "SPOOL_DIR": "/var/lib/postgresql/pgbackrest",
    "RESTORE_TARGET": "",
}
BACKUP_SECRETS = ("BACKUP_KEY", "BACKUP_KEY_SECRET", "BACKUP_CIPHER")
STANZA = "allezone"
LEAST_LENGTH = 16
TEMPLATE = Path(__file__).with_name("patroni.yaml")
BACKUP_TEMPLATE = Path(__file__).with_name("pgbackrest.conf")
BACKUPS = Path(__file__).with_name("backups.py")


class Unusable(Exception):
    """The environment cannot be used; the message says what to set."""


def values(environment: Mapping[str, str]) -> dict[str, str]:
    """Every name in the template with its value. Raises Unusable."""
    found = {name: environment.get(name, default) for name, default in DEFAULTS.items()}
    for name in ("NODE_NAME", "ETCD_HOSTS"):
        found[name] = _required(environment, name)
    found["POSTGRES_ADDRESS"] = environment.get("POSTGRES_ADDRESS", f"{found['NODE_NAME']}:5432")
    found["API_ADDRESS"] = environment.get("API_ADDRESS", f"{found['NODE_NAME']}:8008")
    found |= {name: _secret(environment, name) for name in SECRETS}
    return found | _archiving(environment)


def backup_values(environment: Mapping[str, str]) -> dict[str, str]:
    """Every name in pgBackRest's template with its value; empty where backups are off. Raises Unusable."""
    found = {name: environment.get(name) or default for name, default in BACKUP_DEFAULTS.items()}
    if not found["BACKUP_BUCKET"]:
        if found["RESTORE_TARGET"]:
            message = "RESTORE_TARGET is set, but no BACKUP_BUCKET to restore from"
            raise Unusable(message)
        return {}
    found["BACKUP_ENDPOINT"] = _required(environment, "BACKUP_ENDPOINT")
    found["POSTGRES_PORT"] = environment.get("POSTGRES_LISTEN", DEFAULTS["POSTGRES_LISTEN"]).rpartition(":")[2]
    return found | {name: _secret(environment, name) for name in BACKUP_SECRETS}


def _archiving(environment: Mapping[str, str]) -> dict[str, str]:
    """What patroni.yaml says of backups."""
    backups = backup_values(environment)
    if not backups:
        return {
            "ARCHIVE_COMMAND": "true",
            "ARCHIVE_TIMEOUT": "0",
            "BOOTSTRAP_METHOD": "initdb",
            "RESTORE_COMMAND": "false",
        }
    target = backups["RESTORE_TARGET"]
    restore = ["pgbackrest", "restore"]
    if target and target != "latest":
        restore += ["--type=time", f"--target={target}", "--target-action=promote"]
    return {
        "ARCHIVE_COMMAND": "pgbackrest archive-push %p",
        "ARCHIVE_TIMEOUT": "60s",
        "BOOTSTRAP_METHOD": "restore" if target else "initdb",
        "RESTORE_COMMAND": shlex.join(restore),
    }


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
    if "\n" in secret:
        message = f"{name}_FILE: {path} holds more than one line"
        raise Unusable(message)
    return secret


def main(command: list[str]) -> None:
    """Write the configuration and become `command` with its path as the last argument, or exit with status 2."""
    try:
        found, backups = values(os.environ), backup_values(os.environ)
    except Unusable as error:
        sys.stderr.write(f"configure: {error}\n")
        sys.exit(2)
    run_dir = Path(found["RUN_DIR"])
    path = run_dir / "patroni.yaml"
    _write(path, fill(TEMPLATE.read_text(encoding="utf-8"), found))
    if backups:
        _prepare_backups(run_dir, found | backups)
    os.execvp(command[0], [*command, str(path)])  # noqa: S606  no shell: this process becomes Patroni


def _prepare_backups(run_dir: Path, found: Mapping[str, str]) -> None:
    config, passwords = run_dir / "pgbackrest.conf", run_dir / "backup.pgpass"
    _write(config, string.Template(BACKUP_TEMPLATE.read_text(encoding="utf-8")).substitute(found))
    password = found["SUPERUSER_PASSWORD"].replace("\\", "\\\\").replace(":", "\\:")
    _write(passwords, f"*:*:*:postgres:{password}\n")
    # Also for archive_command, a grandchild of Patroni's.
    os.environ |= {"PGBACKREST_CONFIG": str(config), "PGBACKREST_STANZA": STANZA}
    told = {name: found[name] for name in ("API_ADDRESS", "BACKUP_EVERY_HOURS", "BACKUP_ROUND_SECONDS")}
    subprocess.Popen([sys.executable, str(BACKUPS)], env={**os.environ, **told, "PGPASSFILE": str(passwords)})  # noqa: S603


def _write(path: Path, text: str) -> None:
    """A new file that its owner alone may read."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
