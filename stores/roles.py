"""`python -m stores roles`: the roles of PostgreSQL, each with the least that it needs, and the database.

Makes what is missing and mends what differs; a second run changes nothing. It may run beside processes of any version:
what their roles need of this version's tables is given before anything is taken, in one transaction, and sessions that
are open stay open. A changed password counts for the next login: processes with the old one are restarted soon after.

A system that began with one role for everything, or with a superuser, goes on as well: `allezone_owner` gets what is
there, and the one role becomes a member of it.
"""

from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg import conninfo, sql

from stores import errors, grants, ownership, passwords, queries
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
    chosen = settings.passwords()
    with psycopg.connect(conninfo.make_conninfo(info, dbname=_MAINTENANCE), autocommit=True) as conn:
        conn.execute(_SQL["lock_timeout"], {"milliseconds": _OTHER_RUN_TIMEOUT_MS})
        conn.execute(_SQL["lock"])  # until this connection closes: another run takes its turn
        conn.execute(_SQL["lock_timeout"], {"milliseconds": _LOCK_TIMEOUT_MS})
        if not _value(conn, "is_superuser"):
            raise errors.RolesRefused.not_superuser(settings.db_user)
        changes = _make(conn, {role: chosen[setting] for role, setting in ROLES.items()})
        changes += _make_database(conn, settings.db_name)
        with psycopg.connect(info, autocommit=True) as inside:
            inside.execute(_SQL["lock_timeout"], {"milliseconds": _LOCK_TIMEOUT_MS})
            changes += ownership.hand_over(inside, OWNER, list(ROLES))
            changes += grants.follow(inside, _SQL["functions_of_all"], {"owner": OWNER})
            return changes + grants.apply(inside)


def weak_logins(settings: RoleSettings) -> list[str]:
    """Where the server lets somebody in without SCRAM."""
    with psycopg.connect(settings.conninfo("stores roles"), autocommit=True) as conn:
        return [found for (found,) in conn.execute(_SQL["weak_logins"], {}).fetchall()]


def _make(conn: Connection, chosen: Mapping[str, str]) -> list[str]:
    """Every role, with the attributes and the password that it should have, and a member of nothing else."""
    named = {"roles": list(chosen)}
    verifiers = passwords.of_roles(conn, list(chosen))
    changes = []
    with conn.transaction():
        for role, password in chosen.items():
            if role not in verifiers:
                _execute(conn, "create", role=role)
                changes.append(f"made role {role}")
            _execute(conn, "restrict_to_replication" if role == REPLICATION else "restrict", role=role)
            if passwords.ensure(conn, role, password, verifiers.get(role)):
                changes.append(f"set the password of {role}")
        changes += grants.follow(conn, _SQL["memberships"], named)
        changes += grants.follow(conn, _SQL["settings"], {})
        changes += grants.follow(conn, _SQL["connection_limits"], {})
        changes += grants.follow(conn, _SQL["other_databases"], named)
    return changes


def _make_database(conn: Connection, name: str) -> list[str]:
    if _value(conn, "has_database", name=name):
        return []
    _execute(conn, "create_database", database=name, owner=OWNER)
    return [f"made database {name}"]


def _execute(conn: Connection, query: str, **identifiers: str) -> None:
    conn.execute(sql.SQL(_SQL[query]).format(**{name: sql.Identifier(value) for name, value in identifiers.items()}))


def _value(conn: Connection, query: str, **parameters: Any) -> Any:
    row = conn.execute(_SQL[query], parameters or None).fetchone()
    return row[0] if row else None
