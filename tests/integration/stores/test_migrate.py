"""Migrations: once each, in order, one runner at a time, and never changed afterwards."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from devstack.postgres import PostgresServer
from runtime.settings import DatabaseSettings
from stores import errors, migrate

FIRST = migrate.Migration(9001, "first", "CREATE TABLE first (id int)")
SECOND = migrate.Migration(9002, "second", "CREATE TABLE second (id int)")


def known(*more: migrate.Migration) -> list[migrate.Migration]:
    return [*migrate.available(), *more]


def test_the_template_is_up_to_date(database: DatabaseSettings) -> None:
    assert migrate.apply(database.conninfo()) == []


def test_only_missing_migrations_are_applied_in_order(database: DatabaseSettings) -> None:
    assert migrate.apply(database.conninfo(), known(FIRST)) == [FIRST]
    assert migrate.apply(database.conninfo(), known(FIRST, SECOND)) == [SECOND]
    assert migrate.apply(database.conninfo(), known(FIRST, SECOND)) == []


def test_a_failing_migration_leaves_nothing_and_those_before_it_stay(database: DatabaseSettings) -> None:
    failing = migrate.Migration(9002, "failing", "CREATE TABLE half (id int); SELECT 1 / 0")

    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate.apply(database.conninfo(), known(FIRST, failing))

    with psycopg.connect(database.conninfo()) as conn:
        row = conn.execute("SELECT to_regclass('first') IS NOT NULL, to_regclass('half') IS NULL").fetchone()
    assert row == (True, True)
    assert migrate.apply(database.conninfo(), known(FIRST, SECOND)) == [SECOND]


def test_an_applied_migration_must_not_change(database: DatabaseSettings) -> None:
    migrate.apply(database.conninfo(), known(FIRST))
    edited = migrate.Migration(FIRST.number, FIRST.name, "CREATE TABLE first (id bigint)")

    with pytest.raises(errors.MigrationChanged, match="9001"):
        migrate.apply(database.conninfo(), known(edited))


def test_a_database_that_cannot_hold_every_text_is_refused_before_anything_is_made(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.conninfo(), autocommit=True) as conn:
        conn.execute("CREATE DATABASE ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'")
    conninfo = postgres.conninfo("ascii")
    try:
        with pytest.raises(errors.WrongEncoding, match=r"database ascii has the encoding SQL_ASCII.*ENCODING 'UTF8'"):
            migrate.apply(conninfo)
        with psycopg.connect(conninfo) as conn:
            assert conn.execute("SELECT to_regclass('schema_migrations') IS NULL").fetchone() == (True,)
    finally:
        postgres.drop_database("ascii")


def test_a_version_rolled_back_finds_newer_migrations_and_goes_on(database: DatabaseSettings) -> None:
    migrate.apply(database.conninfo(), known(FIRST))

    assert migrate.apply(database.conninfo()) == []


def test_runners_started_together_take_turns(database: DatabaseSettings) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate.apply(database.conninfo(), known(FIRST, SECOND)), range(4)))

    assert sorted(len(each) for each in applied) == [0, 0, 0, 2]


def test_a_migration_that_waits_for_a_lock_gives_up(
    database: DatabaseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT_MS", 100)
    waiting = migrate.Migration(9001, "waiting", "ALTER TABLE dead_letters ADD COLUMN more int")

    with psycopg.connect(database.conninfo()) as reader:
        reader.execute("SELECT * FROM dead_letters")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            migrate.apply(database.conninfo(), known(waiting))


def test_every_table_and_column_of_aggregates_is_described(database: DatabaseSettings) -> None:
    with psycopg.connect(database.conninfo()) as conn:
        rows = conn.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') "
            "AND obj_description(oid, 'pg_class') IS NULL AND relname <> 'schema_migrations'"
        ).fetchall()
    assert rows == []
