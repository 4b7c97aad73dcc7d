"""`python -m stores roles`: the roles of PostgreSQL, each with the least that it needs, and the database.

Makes what is missing and mends what differs; a second run changes nothing. It may run beside processes of any version:
what their roles need of this version's tables is given before anything is taken, in one transaction, and sessions that
are open stay open. A changed password counts for the next login: processes with the old one are restarted soon after.

A system that began with one role for everything keeps it as the owner of what is there: `allezone_owner` becomes a
member of it, and processes that still log in as it go on.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg import conninfo, sql

from stores import errors, grants, queries
from stores.role_settings import RoleSettings

OWNER: Final = "allezone_owner"
REPLICATION: Final = "replicator"  # Patroni's configuration and pg_hba.conf name it
ROLES: Final = {
    OWNER: "owner_password",
    "allezone_pipeline": "pipeline_password",
    "allezone_gateway": "gateway_password",
    "allezone_analyst": "analyst_password",
    "allezone_monitoring": "monitoring_password",
    REPLICATION: "replication_password",
}
_MAINTENANCE: Final = "postgres"
_OTHER_RUN_TIMEOUT_MS: Final = 120_000
_LOCK_TIMEOUT_MS: Final = 5_000  # as a migration: gives up, everything goes on, try again
_SQL = queries.load("roles")

Connection = psycopg.Connection[Any]


def apply(settings: RoleSettings) -> list[str]:
    """Bring roles, database and rights about; returns what was changed, in words without secrets.

    Raises RolesRefused, or psycopg.Error.
    """
    info = settings.conninfo("stores roles")
    passwords = settings.passwords()
    with psycopg.connect(conninfo.make_conninfo(info, dbname=_MAINTENANCE), autocommit=True) as conn:
        conn.execute(_SQL["lock_timeout"], {"milliseconds": _OTHER_RUN_TIMEOUT_MS})
        conn.execute(_SQL["lock"])  # until this connection closes: another run takes its turn
        conn.execute(_SQL["lock_timeout"], {"milliseconds": _LOCK_TIMEOUT_MS})
        if not _value(conn, "is_superuser"):
            raise errors.RolesRefused.not_superuser(settings.db_user)
        changes = _make(conn, {role: passwords[setting] for role, setting in ROLES.items()})
        changes += _make_database(conn, settings.db_name)
        with psycopg.connect(info, autocommit=True) as inside:
            inside.execute(_SQL["lock_timeout"], {"milliseconds": _LOCK_TIMEOUT_MS})
            return [*changes, *_own(inside, settings.db_name), *grants.apply(inside)]


def weak_logins(settings: RoleSettings) -> list[str]:
    """Where the server lets somebody in without SCRAM."""
    with psycopg.connect(settings.conninfo("stores roles"), autocommit=True) as conn:
        return [found for (found,) in conn.execute(_SQL["weak_logins"], {}).fetchall()]


def _make(conn: Connection, passwords: Mapping[str, str]) -> list[str]:
    """Every role, with the attributes and the password that it should have, and a member of nothing else."""
    verifiers = dict(conn.execute(_SQL["verifiers"], {"roles": list(passwords)}).fetchall())
    changes = []
    with conn.transaction():
        for role, password in passwords.items():
            if role not in verifiers:
                _execute(conn, "create", role=role)
                changes.append(f"made role {role}")
            _execute(conn, "restrict_to_replication" if role == REPLICATION else "restrict", role=role)
            if not _is_of(password, verifiers.get(role)):
                verifier = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
                conn.execute(_format("set_password", {"role": role}, verifier=sql.Literal(verifier.decode())))
                changes.append(f"set the password of {role}")
        lesser = [role for role in passwords if role != OWNER]
        changes += grants.follow(conn, _SQL["memberships"], {"roles": lesser})
        changes += grants.follow(conn, _SQL["settings"], {})
    return changes


def _make_database(conn: Connection, name: str) -> list[str]:
    if _value(conn, "has_database", name=name):
        return []
    _execute(conn, "create_database", database=name, owner=OWNER)
    return [f"made database {name}"]


def _own(conn: Connection, database: str) -> list[str]:
    """The owner's role has the rights of whoever owns the database and what is in it."""
    changes = []
    owners = {OWNER}
    for what, role, superuser in conn.execute(_SQL["owners"]).fetchall():
        if superuser and what == "TABLES":
            raise errors.RolesRefused.owned_by_superuser(role, OWNER)
        if superuser:
            _execute(conn, "own_database", database=database, owner=OWNER)
            changes.append(f"database {database} belongs to {OWNER}")
            continue
        owners.add(role)
        if not _value(conn, "is_member", member=OWNER, role=role):
            _execute(conn, "admit", role=role, member=OWNER)
            changes.append(f"{OWNER} is a member of {role}")
    for owner in sorted(owners):
        if _value(conn, "unnoticed_functions", owner=sql.Identifier(owner).as_string()):
            _execute(conn, "hide_functions", owner=owner)
            changes.append(f"functions that {owner} makes are not everybody's")
    return changes


def _is_of(password: str, verifier: str | None) -> bool:
    """Whether a SCRAM verifier is that of the password (RFC 5803); of another kind of hash it is not."""
    if verifier is None or not verifier.startswith("SCRAM-SHA-256$"):
        return False
    iterations, _, salt = verifier.split("$")[1].partition(":")
    stored, _, _ = verifier.split("$")[2].partition(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    key = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(key).digest(), base64.b64decode(stored))


def _execute(conn: Connection, query: str, **identifiers: str) -> None:
    conn.execute(_format(query, identifiers))


def _format(query: str, identifiers: Mapping[str, str], **literals: sql.Composable) -> sql.Composed:
    return sql.SQL(_SQL[query]).format(
        **{name: sql.Identifier(value) for name, value in identifiers.items()}, **literals
    )


def _value(conn: Connection, query: str, **parameters: Any) -> Any:
    row = conn.execute(_SQL[query], parameters or None).fetchone()
    return row[0] if row else None
