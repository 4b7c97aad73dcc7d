"""Brings a database to the newest schema: stores/migrations/NNNN_name.sql, in order, each exactly once.

Each migration is one transaction, with its row in schema_migrations. Two runners take turns (an advisory lock).

Rules for whoever writes one, so that it is safe beside processes of the version before:
- only add: what old code reads and writes stays until no old code runs, and goes in a later migration;
- no statement waits for a lock longer than LOCK_TIMEOUT_MS: the runner gives up, everything goes on, try again;
- a file that was applied anywhere is never edited: the runner compares checksums and refuses.
Migrations in the database that this version does not know are left alone: a version rolled back starts beside them.
"""

import hashlib
import re
from collections.abc import Sequence
from importlib import resources
from typing import Any, LiteralString

import msgspec
import psycopg

from stores import errors, grants, queries

LOCK_TIMEOUT_MS = 5_000
OTHER_RUNNER_TIMEOUT_MS = 120_000

_SQL = queries.load("migrations")
_FILE_NAME = re.compile(r"(?P<number>\d{4})_(?P<name>\w+)\.sql")


class Migration(msgspec.Struct, frozen=True):
    """One numbered file."""

    number: int
    name: str
    sql: LiteralString  # code of this package, which is what psycopg asks for

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def apply(conninfo: str, migrations: Sequence[Migration] | None = None) -> list[Migration]:
    """Applies what is missing and returns it; nothing to do returns []. Roles get their rights on what is new.

    Raises WrongEncoding, MigrationChanged, or psycopg.Error from a statement, after which all earlier migrations of the
    run stay applied.
    """
    known = available() if migrations is None else migrations
    with psycopg.connect(conninfo, autocommit=True) as conn:
        _require_utf8(conn)
        conn.execute(_SQL["lock_timeout"], {"milliseconds": OTHER_RUNNER_TIMEOUT_MS, "in_transaction": False})
        conn.execute(_SQL["lock"])
        try:
            conn.execute(_SQL["create_table"])
            missing = _missing(conn, known)
            for migration in missing:
                _apply_one(conn, migration)
            grants.apply(conn)
        finally:
            if not conn.broken:
                conn.execute(_SQL["unlock"])
    return missing


def available() -> list[Migration]:
    """The migrations that this version of the code has, by number."""
    found = []
    for file in resources.files("stores").joinpath("migrations").iterdir():
        if match := _FILE_NAME.fullmatch(file.name):
            found.append(Migration(int(match["number"]), match["name"], file.read_text("utf-8")))
    return sorted(found, key=lambda migration: migration.number)


def _require_utf8(conn: psycopg.Connection[Any]) -> None:
    encoding = conn.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise errors.WrongEncoding(conn.info.dbname, str(encoding))


def _missing(conn: psycopg.Connection[Any], known: Sequence[Migration]) -> list[Migration]:
    applied = dict(conn.execute(_SQL["applied"]).fetchall())
    for migration in known:
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            raise errors.MigrationChanged(migration.number, migration.name)
    return [migration for migration in known if migration.number not in applied]


def _apply_one(conn: psycopg.Connection[Any], migration: Migration) -> None:
    with conn.transaction():
        conn.execute(_SQL["lock_timeout"], {"milliseconds": LOCK_TIMEOUT_MS, "in_transaction": True})
        conn.execute(migration.sql)
        conn.execute(
            _SQL["record"],
            {"number": migration.number, "name": migration.name, "checksum": migration.checksum},
        )
