"""What each role may do with each thing there is, by trying: as whoever has taken over one of them would."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import pytest
from psycopg import errors as pg
from psycopg.conninfo import make_conninfo

from devstack.postgres import SUPERUSER
from stores import roles
from tests.support import roles as support
from tests.support.roles import Production

OWNER, PIPELINE, GATEWAY, ANALYST, MONITORING = ALL = [role for role in roles.ROLES if role != roles.REPLICATION]
HOUR: Final = "aggregate_deltas_2022032212"
ANYTHING: Final = {
    "SELECT": "SELECT count(*) FROM {table} WHERE false",
    "INSERT": "INSERT INTO {table} DEFAULT VALUES",
    "UPDATE": 'UPDATE {table} SET "{column}" = DEFAULT WHERE false',
    "DELETE": "DELETE FROM {table} WHERE false",
    "TRUNCATE": "TRUNCATE {table}",
}

# Whatever is not named here is refused.
MAY_WITH_TABLES: Final[dict[str, dict[str, set[str]]]] = {
    PIPELINE: {
        "aggregate_deltas": {"INSERT"},
        "aggregate_hours": {"SELECT"},
        "dead_letters": {"SELECT", "INSERT"},
        "minute_totals": {"SELECT", "INSERT", "UPDATE"},
        "pipeline_offsets": {"SELECT", "INSERT", "UPDATE"},
        "profile_tags": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    },
    GATEWAY: {table: {"SELECT"} for table in ("aggregate_deltas", "minute_totals", "profile_tags")},
    ANALYST: {"aggregates": {"SELECT"}, "minute_totals": {"SELECT"}},
    MONITORING: {},
}
MAY_CALL: Final[dict[str, set[str]]] = {
    PIPELINE: {
        "advance_flush",
        "drop_hour",
        "ensure_hours",
        "expired_hours",
        "hour_expired",
        "hour_start",
        "newest_event",
    }
}
# Who may do it; nobody else.
DEEDS: Final[dict[str, list[str]]] = {
    "CREATE TABLE public.mine (id int)": [OWNER],
    "CREATE TEMPORARY TABLE mine (id int)": [OWNER],
    "CREATE SCHEMA mine": [OWNER],
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql RETURN 1": [OWNER],
    "CREATE INDEX ON minute_totals (count)": [OWNER],
    "ALTER TABLE dead_letters ADD COLUMN more int": [OWNER],
    "DROP TABLE dead_letters": [OWNER],
    "DROP FUNCTION advance_flush": [OWNER],
    "ALTER FUNCTION drop_hour SECURITY INVOKER": [OWNER],
    "LOCK TABLE aggregate_deltas IN ACCESS EXCLUSIVE MODE": [OWNER],
    "GRANT pg_monitor TO allezone_gateway": [],
    "CREATE ROLE mine": [],
    "ALTER ROLE allezone_owner PASSWORD 'known'": [OWNER],
    "ALTER ROLE postgres PASSWORD 'known'": [],
    "ALTER ROLE allezone_analyst CONNECTION LIMIT 1000": [],
    "SET ROLE postgres": [],
    "SET SESSION AUTHORIZATION postgres": [],
    "SET session_replication_role = 'replica'": [],
    "SET temp_file_limit = -1": [],
    "SET log_statement = 'none'": [],
    "SELECT rolpassword FROM pg_authid": [],
    "SELECT passwd FROM pg_shadow": [],
    "SELECT * FROM pg_hba_file_rules": [],
    "SELECT setconfig FROM pg_db_role_setting": ALL,  # settings alone; the passwords of subscriptions are the next
    "SELECT subconninfo FROM pg_subscription": [],
    "SELECT pg_read_file('PG_VERSION')": [],
    "SELECT pg_ls_dir('.')": [],
    "SELECT pg_ls_waldir()": [MONITORING],
    "COPY (SELECT 1) TO PROGRAM 'cat'": [],
    "COPY (SELECT 1) TO '/dev/null'": [],
    "COPY minute_totals FROM '/etc/passwd'": [],
    "SELECT lo_create(0)": [OWNER],
    "SELECT lo_from_bytea(0, 'x')": [OWNER],
    "SELECT lo_import('/etc/passwd')": [],
    "SELECT pg_logical_emit_message(false, 'a', 'b')": [OWNER],
    "SELECT pg_advisory_lock(1)": [OWNER],
    "SELECT pg_advisory_xact_lock_shared(1, 1)": [OWNER],
    "SELECT pg_try_advisory_lock(hashtextextended('allezone.aggregate_hours', 0))": [OWNER],
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'": [],
    "SELECT pg_reload_conf()": [],
    "SELECT pg_switch_wal()": [],
    "SELECT pg_create_physical_replication_slot('mine')": [],
    "SELECT pg_promote()": [],
    "CREATE PUBLICATION everything FOR ALL TABLES": [],
    "CREATE SUBSCRIPTION mine CONNECTION '' PUBLICATION it WITH (connect = false)": [],
    "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION mine()": [],
    "CREATE LANGUAGE c2 HANDLER plpgsql_call_handler": [],
}


@pytest.fixture(scope="module", autouse=True)
def somebody_works(production: Production) -> Iterator[None]:
    """A superuser's session, which nobody may end or read."""
    with support.superuser(production) as conn:
        conn.execute("SELECT 'a superuser''s query'")
        yield


@contextmanager
def _as(production: Production, role: str, **more: str) -> Iterator[psycopg.Connection[Any]]:
    """A session that undoes what its role's settings hold it to, as far as a session can."""
    info = make_conninfo(
        production.login(role).conninfo(),
        target_session_attrs="any",
        options="-c default_transaction_read_only=off -c lock_timeout=5s",
        **more,
    )
    with psycopg.connect(info, autocommit=True) as conn:
        yield conn


def _may(conn: psycopg.Connection[Any], statement: str) -> bool:
    """Whether it gets past the check of rights, wherever it ends then; it is taken back."""
    try:
        with conn.transaction(force_rollback=True):
            conn.execute(statement.encode())
    except pg.InsufficientPrivilege:
        return False
    except psycopg.Error:
        assert not conn.broken
    return True


def _tables(production: Production) -> dict[str, str]:
    """`{name: its first column}`; of hours one."""
    with support.superuser(production) as conn:
        rows = conn.execute(
            "SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum = 1"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND relname !~ '_20[0-9]{8}$'"
        ).fetchall()
    return {**dict(rows), HOUR: "time"}


def _calls(production: Production) -> dict[str, str]:
    """`{function: a call of it}`, its arguments null; not as constants, for which rights are not even looked at."""
    with support.superuser(production) as conn:
        rows = conn.execute(
            "SELECT proname, ARRAY(SELECT format_type(kind, NULL) FROM unnest(proargtypes) AS kind)"
            " FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        ).fetchall()
    return {name: _call(name, kinds) for name, kinds in rows}


def _call(name: str, kinds: Sequence[str]) -> str:
    given = ", ".join(f"NULL::{kind} AS x{number}" for number, kind in enumerate(kinds))
    named = ", ".join(f"x{number}" for number in range(len(kinds)))
    return f"SELECT {name}({named}) FROM (SELECT {given} OFFSET 0) AS given"  # noqa: S608 - names of the catalog


@pytest.mark.parametrize("role", ALL)
def test_tables(production: Production, role: str) -> None:
    tables = _tables(production)
    assert len(tables) >= 10
    found = {}
    with _as(production, role) as conn:
        for table, column in tables.items():
            # The view is none that can be written to; PostgreSQL says so before it looks at rights.
            tried = {"SELECT"} if table == "aggregates" else set(ANYTHING)
            if may := {deed for deed in tried if _may(conn, ANYTHING[deed].format(table=table, column=column))}:
                found[table] = may

    if role == OWNER:
        assert found == {table: {"SELECT"} if table == "aggregates" else set(ANYTHING) for table in tables}
    else:
        assert found == MAY_WITH_TABLES[role]


@pytest.mark.parametrize("role", ALL)
def test_functions(production: Production, role: str) -> None:
    calls = _calls(production)
    assert len(calls) >= 13
    with _as(production, role) as conn:
        found = {name for name, call in calls.items() if _may(conn, call)}

    assert found == (set(calls) if role == OWNER else MAY_CALL.get(role, set()))


@pytest.mark.parametrize("deed", list(DEEDS))
def test_other_deeds(production: Production, deed: str) -> None:
    found = []
    for role in ALL:
        with _as(production, role) as conn:
            if _may(conn, deed):
                found.append(role)

    assert found == DEEDS[deed]


@pytest.mark.parametrize("role", ALL)
def test_nobody_becomes_another(production: Production, role: str) -> None:
    with _as(production, role) as conn:
        found = [other for other in (*roles.ROLES, SUPERUSER, "pg_monitor") if _may(conn, f"SET ROLE {other}")]

    assert found == ([role, "pg_monitor"] if role == MONITORING else [role])


@pytest.mark.parametrize("database", ["postgres", "template1"])
@pytest.mark.parametrize("role", list(roles.ROLES))
def test_other_databases_are_closed(production: Production, role: str, database: str) -> None:
    with (
        pytest.raises(psycopg.OperationalError, match="permission denied for database"),
        _as(production, role, dbname=database),
    ):
        pass


@pytest.mark.parametrize("role", ALL)
def test_only_the_standbys_role_replicates(production: Production, role: str) -> None:
    info = make_conninfo(production.login(role).conninfo(), target_session_attrs="any", replication="database")
    with pytest.raises(psycopg.OperationalError, match=r"must be superuser or replication role|permission denied"):
        psycopg.connect(info)


@pytest.mark.parametrize("role", ALL)
def test_what_others_ask_is_for_monitoring_alone(production: Production, role: str) -> None:
    with _as(production, role) as conn:
        rows = conn.execute("SELECT query FROM pg_stat_activity WHERE usename = 'postgres'").fetchall()

    assert bool([query for (query,) in rows if "a superuser's query" in query.replace("''", "'")]) is (
        role == MONITORING
    )


def test_no_role_has_an_attribute_that_lets_it_past_rights(production: Production) -> None:
    with support.superuser(production) as conn:
        rows = conn.execute(
            "SELECT rolname, rolreplication FROM pg_roles WHERE rolname = ANY (%s) AND NOT"
            " (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls) ORDER BY rolname",
            [list(roles.ROLES)],
        ).fetchall()

    assert dict(rows) == {role: role == roles.REPLICATION for role in roles.ROLES}


def test_people_and_monitoring_leave_the_others_their_connections(production: Production) -> None:
    with support.superuser(production) as conn:
        rows = conn.execute("SELECT rolname, rolconnlimit FROM pg_roles WHERE rolconnlimit >= 0").fetchall()

    assert dict(rows) == {ANALYST: 20, MONITORING: 10}
