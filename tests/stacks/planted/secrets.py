"""Violations of the policies in secrets.py."""

from typing import Final

from tests.stacks.planted.planting import STATEFUL, STATELESS, Planted, put, secret, variable, within
from tests.stacks.policies import secrets

PLANTED: Final[list[Planted]] = [
    (
        secrets.secrets_are_files,
        STATEFUL,
        variable("patroni1", "PATRONI_SUPERUSER_PASSWORD", "9f8e7d6c5b4a"),
        "PATRONI_SUPERUSER_PASSWORD",
    ),
    (
        secrets.secrets_are_files,
        STATELESS,
        variable("gateway", "DB_PASSWORD_FILE", "/run/secrets/db_owner"),
        "no secret of this service",
    ),
    (
        secrets.secrets_are_files,
        STATELESS,
        variable("gateway", "DB_HOST", "postgresql://gateway:9f8e7d@postgres-proxy/allezone"),
        "DB_HOST",
    ),
    (secrets.secrets_have_owners_and_uses, STATELESS, put("roles", secrets=["root_of_all"]), "root_of_all"),
    (secrets.secrets_have_owners_and_uses, STATELESS, secret("unused", {"external": True}), "unused"),
    (secrets.secrets_are_dockers_and_versioned, STATELESS, secret("db_owner", {"file": "password.txt"}), "db_owner"),
    (
        secrets.secrets_are_dockers_and_versioned,
        STATELESS,
        secret("db_owner", {"external": True, "name": "allezone_db_owner"}),
        "db_owner",
    ),
    (
        secrets.secrets_are_files,
        STATEFUL,
        put("patroni1", command=["patroni", "--password=9f8e7d6c5b4a"]),
        "--password=9f8e7d6c5b4a",
    ),
    (secrets.secrets_are_files, STATEFUL, put("patroni1", command=["psql", "--password", "9f8e7d6c"]), "9f8e7d6c"),
    (
        secrets.secrets_are_files,
        STATELESS,
        put("gateway", entrypoint="python -m gateway --token 9f8e7d6c"),
        "--token 9f8e7d6c",
    ),
    (
        secrets.secrets_are_files,
        STATEFUL,
        within("patroni1", "healthcheck", test=["CMD", "psql", "postgresql://postgres:9f8e7d@localhost/"]),
        "postgres:9f8e7d",
    ),
    (secrets.secrets_are_their_readers_alone, STATEFUL, put("patroni1", secrets=["patroni_api"]), "patroni_api"),
    (
        secrets.secrets_are_their_readers_alone,
        STATELESS,
        put("gateway", secrets=[{"source": "db_gateway", "uid": "10001", "gid": "10001", "mode": 0o444}]),
        "only to be read",
    ),
    (
        secrets.secrets_are_their_readers_alone,
        STATELESS,
        put("gateway", secrets=[{"source": "db_gateway", "uid": "0", "gid": "0", "mode": 0o400}]),
        "not its own account's",
    ),
]
