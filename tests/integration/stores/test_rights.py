"""`python -m stores roles`: each role may do what it needs, and nothing more, however often the command has run."""

from typing import Any

import psycopg
import pytest
from psycopg import errors as pg
from psycopg.conninfo import make_conninfo

from devstack.postgres import SUPERUSER
from runtime.settings import DatabaseSettings
from stores import migrate, roles
from tests.support.roles import Production

HOUR = 457_764
"""2022-03-22T12, in hours since 1970."""
PIPELINE, GATEWAY, ANALYST, MONITORING = (
    f"allezone_{name}" for name in ("pipeline", "gateway", "analyst", "monitoring")
)
DELTA = "INSERT INTO aggregate_deltas VALUES ('2022-03-22T12:00Z', 'BUY', 'o', 'b', 'c', 1, 100)"


def _do(production: Production, role: str, statement: str) -> list[tuple[Any, ...]]:
    """Run it as `role`, and take it back."""
    info = make_conninfo(production.login(role).conninfo(), target_session_attrs="any")
    with psycopg.connect(info) as conn, conn.transaction(force_rollback=True):
        cursor = conn.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


FLUSH = "SELECT advance_flush('g', 't', gen_random_uuid(), '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')"  # noqa: E501
NEEDED = [
    (PIPELINE, DELTA),
    (PIPELINE, FLUSH),
    (PIPELINE, "SELECT ensure_hours(ARRAY[457770], 1000, 25)"),
    (PIPELINE, "SELECT drop_hour(457764, '24h', '24h', 1)"),
    (PIPELINE, "SELECT expired_hours('24h', '24h', 1)"),
    (PIPELINE, "INSERT INTO profile_tags VALUES ('c', 'BUY', '\\x00', '\\x00')"),
    (GATEWAY, "SELECT * FROM aggregate_deltas"),
    (GATEWAY, "SELECT * FROM minute_totals"),
    (GATEWAY, "SELECT * FROM profile_tags"),
    (ANALYST, "SELECT * FROM aggregates"),
    (ANALYST, "SELECT * FROM minute_totals"),
    (MONITORING, "SELECT * FROM pg_stat_replication"),
    (MONITORING, "SELECT pg_database_size('postgres')"),
    (roles.OWNER, "ALTER TABLE dead_letters ADD COLUMN more int"),
    (roles.OWNER, "DELETE FROM aggregate_deltas"),
    (roles.OWNER, "CREATE TEMPORARY TABLE recounted (LIKE aggregate_deltas)"),
]
REFUSED = [
    *((role, DELTA) for role in (GATEWAY, ANALYST, MONITORING)),
    *((role, FLUSH) for role in (GATEWAY, ANALYST, MONITORING)),
    *((role, "SELECT ensure_hours(ARRAY[457770], 1000, 25)") for role in (GATEWAY, ANALYST, MONITORING)),
    *((role, "CREATE TABLE public.mine (id int)") for role in (PIPELINE, GATEWAY, ANALYST, MONITORING)),
    *((role, "CREATE TEMPORARY TABLE mine (id int)") for role in (PIPELINE, GATEWAY, ANALYST, MONITORING)),
    *((role, "CREATE SCHEMA mine") for role in (PIPELINE, GATEWAY, ANALYST, MONITORING)),
    *((role, "CREATE ROLE mine") for role in (roles.OWNER, PIPELINE, GATEWAY, ANALYST, MONITORING)),
    *((role, "SELECT rolpassword FROM pg_authid") for role in (roles.OWNER, PIPELINE, GATEWAY, ANALYST, MONITORING)),
    *((role, "SELECT * FROM dead_letters") for role in (GATEWAY, ANALYST, MONITORING)),
    *((role, "SELECT * FROM profile_tags") for role in (ANALYST, MONITORING)),
    *((role, "SELECT * FROM aggregate_deltas") for role in (PIPELINE, ANALYST, MONITORING)),
    *((role, "SELECT * FROM aggregate_deltas_2022032212") for role in (PIPELINE, GATEWAY, ANALYST, MONITORING)),
    *((role, "UPDATE minute_totals SET count = 0") for role in (GATEWAY, ANALYST, MONITORING)),
    *((role, "SET ROLE allezone_owner") for role in (PIPELINE, GATEWAY, ANALYST, MONITORING)),
    (PIPELINE, "DROP TABLE aggregate_deltas"),
    (PIPELINE, "ALTER TABLE aggregate_deltas ADD COLUMN more int"),
    (PIPELINE, "TRUNCATE aggregate_deltas"),
    (PIPELINE, "TRUNCATE profile_tags"),
    (PIPELINE, "DELETE FROM aggregate_deltas"),
    (PIPELINE, "UPDATE aggregate_deltas SET count = 0"),
    (PIPELINE, "DELETE FROM pipeline_offsets"),
    (PIPELINE, "DELETE FROM dead_letters"),
    (PIPELINE, "UPDATE dead_letters SET value = NULL"),
    (PIPELINE, "UPDATE aggregate_hours SET dropped_at = now()"),
    (PIPELINE, "LOCK TABLE aggregate_deltas IN ACCESS EXCLUSIVE MODE"),
    (PIPELINE, "SELECT make_hour('2022-03-22T20:00Z')"),
    (PIPELINE, "SELECT * FROM schema_migrations"),
    (PIPELINE, "COPY aggregate_hours TO PROGRAM 'cat'"),
]


@pytest.mark.parametrize(("role", "statement"), NEEDED)
def test_it_may_do_what_it_needs(production: Production, role: str, statement: str) -> None:
    _do(production, role, statement)


@pytest.mark.parametrize(("role", "statement"), REFUSED)
def test_it_may_not_do_more(production: Production, role: str, statement: str) -> None:
    with pytest.raises((pg.InsufficientPrivilege, pg.ReadOnlySqlTransaction)):
        _do(production, role, statement)


def test_no_role_has_a_right_that_the_file_does_not_name(production: Production) -> None:
    """Of every object, whatever later migrations add."""
    with psycopg.connect(production.login(roles.OWNER).conninfo()) as conn:
        rows = conn.execute(
            "SELECT grantee, count(*) FROM information_schema.role_table_grants WHERE grantee LIKE 'allezone%' "
            "AND grantee <> 'allezone_owner' GROUP BY grantee ORDER BY grantee"
        ).fetchall()
        open_functions = conn.execute(
            "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
            "AND has_function_privilege('allezone_monitoring', oid, 'EXECUTE')"
        ).fetchall()
    assert rows == [(ANALYST, 2), (GATEWAY, 3), (PIPELINE, 14)]
    assert open_functions == []


def test_functions_with_their_owners_rights_look_nowhere_that_a_caller_can_write_first(production: Production) -> None:
    with psycopg.connect(production.login(roles.OWNER).conninfo()) as conn:
        rows = conn.execute(
            "SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"
        ).fetchall()
    assert {name for name, _ in rows} == {"ensure_hours", "drop_hour"}
    assert all("search_path=public, pg_temp" in config for _, config in rows)


def test_hours_of_the_future_take_what_the_workers_count_and_are_read(production: Production) -> None:
    with psycopg.connect(production.login(PIPELINE).conninfo()) as conn:
        conn.execute("SELECT ensure_hours(ARRAY[%s], 1000, 25)", [HOUR + 1])
        with conn.cursor().copy("COPY aggregate_deltas FROM STDIN") as copy:
            copy.write_row(["2022-03-22T13:00Z", "VIEW", "o", "b", "c", 7, 700])

    counted = "count FROM {} WHERE time = '2022-03-22T13:00Z'"
    assert _do(production, GATEWAY, f"SELECT {counted.format('aggregate_deltas')}") == [(7,)]
    assert _do(production, ANALYST, f"SELECT {counted.format('aggregates')}") == [(7,)]


def test_a_table_that_a_later_migration_makes_is_nobodys_at_first(production: Production) -> None:
    later = migrate.Migration(
        9001, "later", "CREATE TABLE later (id int); CREATE FUNCTION later() RETURNS int LANGUAGE sql RETURN 1"
    )
    migrate.apply(production.login(roles.OWNER).conninfo(), [*migrate.available(), later])

    for statement in ("SELECT * FROM later", "SELECT later()"):
        with pytest.raises(pg.InsufficientPrivilege):
            _do(production, PIPELINE, statement)


def test_every_role_logs_in(production: Production) -> None:
    logins: list[DatabaseSettings] = [production.login(role) for role in roles.ROLES if role != roles.REPLICATION]

    for login in logins:
        info = make_conninfo(login.conninfo(), target_session_attrs="any")
        with psycopg.connect(info) as conn:
            assert conn.execute("SELECT current_user").fetchone() == (login.db_user,)
    assert SUPERUSER not in roles.ROLES
