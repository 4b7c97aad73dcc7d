"""A PostgreSQL server of a test's own with the roles of production on it: roles belong to a whole server."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from pydantic import SecretStr

from devstack.postgres import SUPERUSER, PostgresServer
from runtime.settings import DatabaseSettings
from stores import roles
from stores.role_settings import RoleSettings
from tests.support import services

DATABASE = "of production"


class Production:
    """One server, and how to reach its database as each role."""

    def __init__(self, server: PostgresServer, database: str = DATABASE) -> None:
        self.server, self.database = server, database
        self.passwords = {setting: secrets.token_urlsafe(24) for setting in roles.ROLES.values()}

    def settings(self, **changed: Any) -> RoleSettings:
        """What `python -m stores roles` is told."""
        told = {**_place(self.server, self.database), "db_user": SUPERUSER, "db_password": self.server.password}
        return RoleSettings.model_validate({**told, **self.passwords, **changed})

    def login(self, role: str) -> DatabaseSettings:
        """How a process logs in as `role`."""
        password = self.passwords[roles.ROLES[role]]
        return DatabaseSettings(**_place(self.server, self.database), db_user=role, db_password=SecretStr(password))


@contextmanager
def production() -> Iterator[Production]:
    """A server on which nothing of ours was ever made."""
    with services.required(), services.running_postgres() as server:
        yield Production(server)


def superuser(production: Production) -> psycopg.Connection[Any]:
    """A connection to the database as whoever may do everything."""
    return psycopg.connect(production.server.conninfo(production.database), autocommit=True)


def catalog(production: Production) -> list[Any]:
    """Everything about roles and rights that a run might change."""
    with superuser(production) as conn:
        return [
            conn.execute("SELECT * FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY rolname").fetchall(),
            conn.execute(
                "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members ORDER BY 1, 2"
            ).fetchall(),
            conn.execute("SELECT relname, relowner::regrole::text, relacl::text FROM pg_class ORDER BY 1").fetchall(),
            conn.execute("SELECT proname, proacl::text FROM pg_proc WHERE proacl IS NOT NULL ORDER BY 1, 2").fetchall(),
            conn.execute("SELECT datname, datdba::regrole::text, datacl::text FROM pg_database ORDER BY 1").fetchall(),
            conn.execute("SELECT defaclrole::regrole::text, defaclacl::text FROM pg_default_acl").fetchall(),
            conn.execute(
                "SELECT attrelid::regclass::text, attname, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL "
                "ORDER BY 1, 2"
            ).fetchall(),
        ]


def environment(settings: RoleSettings) -> Mapping[str, str]:
    """The same settings as a process's environment."""
    told = settings.model_dump(exclude={"log_level", "log_format"})
    return {
        name.upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in told.items()
    }


def _place(server: PostgresServer, database: str) -> dict[str, Any]:
    return {"db_host": server.host, "db_port": server.port, "db_name": database}
