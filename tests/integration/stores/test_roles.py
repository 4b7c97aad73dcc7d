"""`python -m stores roles`, as an operator or a release runs it: again and again, and beside what runs already."""

import json
import os
import secrets
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from devstack import paths
from stores import errors, migrate, roles
from tests.support import roles as support
from tests.support.roles import Production

GATEWAY = "allezone_gateway"


def test_a_second_run_changes_nothing(production: Production) -> None:
    before = support.catalog(production)

    assert roles.apply(production.settings()) == []

    assert support.catalog(production) == before


def test_what_somebody_changed_is_mended(production: Production) -> None:
    before = support.catalog(production)
    with support.superuser(production) as conn:
        conn.execute("GRANT DELETE ON aggregate_deltas TO allezone_pipeline")
        conn.execute("GRANT SELECT ON dead_letters TO allezone_analyst")
        conn.execute("GRANT EXECUTE ON FUNCTION make_hour TO PUBLIC")
        conn.execute("REVOKE SELECT ON minute_totals FROM allezone_gateway")
        conn.execute("GRANT pg_read_all_data TO allezone_gateway")
        conn.execute("ALTER ROLE allezone_gateway SUPERUSER CREATEDB PASSWORD 'known'")

    changed = roles.apply(production.settings())

    assert support.catalog(production) == before
    assert changed == [
        "set the password of allezone_gateway",
        "REVOKE pg_read_all_data FROM allezone_gateway GRANTED BY postgres CASCADE",
        "GRANT SELECT ON TABLE minute_totals TO allezone_gateway",
        "REVOKE DELETE ON TABLE aggregate_deltas FROM allezone_pipeline CASCADE",
        "REVOKE EXECUTE ON ROUTINE make_hour(timestamp with time zone) FROM PUBLIC CASCADE",
        "REVOKE SELECT ON TABLE dead_letters FROM allezone_analyst CASCADE",
    ]


def test_runs_at_once_take_turns(production: Production) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: roles.apply(production.settings()), range(4))) == [[]] * 4


def test_migrations_may_run_at_the_same_time(production: Production) -> None:
    """A release starts both jobs at once; each gives rights, and both find work to do."""
    owner = production.login(roles.OWNER).conninfo()
    for _ in range(5):
        with support.superuser(production) as conn:
            conn.execute("REVOKE SELECT ON minute_totals, profile_tags FROM allezone_gateway")
            conn.execute("GRANT EXECUTE ON FUNCTION make_hour TO PUBLIC")
        with ThreadPoolExecutor(2) as pool:
            changed, applied = pool.submit(roles.apply, production.settings()), pool.submit(migrate.apply, owner)

            assert len(changed.result()) in (0, 3)
            assert applied.result() == []
        assert roles.apply(production.settings()) == []


def test_a_new_password_counts_for_the_next_login_and_open_sessions_go_on(production: Production) -> None:
    old = production.login(GATEWAY)
    with psycopg.connect(old.conninfo()) as conn:
        production.passwords["gateway_password"] = secrets.token_urlsafe(24)

        assert roles.apply(production.settings()) == ["set the password of allezone_gateway"]

        assert conn.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(old.conninfo())
        psycopg.connect(production.login(GATEWAY).conninfo()).close()


def test_passwords_are_kept_as_scram_and_nowhere_else(production: Production) -> None:
    with support.superuser(production) as conn:
        rows = conn.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolname = ANY (%s)", [list(roles.ROLES)]
        ).fetchall()
    assert len(rows) == 6
    assert all(verifier.startswith("SCRAM-SHA-256$") for (verifier,) in rows)
    log = production.server.log.read_text()
    assert not [password for password in production.passwords.values() if password in log]
    assert roles.weak_logins(production.settings()) == []


def test_a_login_without_scram_is_told(production: Production) -> None:
    with support.superuser(production) as conn:
        conn.execute("SET password_encryption = 'md5'")
        conn.execute("CREATE ROLE somebody PASSWORD 'x'")
        try:
            assert roles.weak_logins(production.settings()) == ["the password of somebody is kept as MD5"]
        finally:
            conn.execute("DROP ROLE somebody")


def test_the_replication_role_reads_the_log_of_changes_and_no_table(production: Production) -> None:
    info = make_conninfo(production.login(roles.REPLICATION).conninfo(), target_session_attrs="any")
    with psycopg.connect(make_conninfo(info, replication="true"), autocommit=True) as conn:
        assert conn.execute("IDENTIFY_SYSTEM").fetchone() is not None
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(info)


def test_others_have_no_way_into_the_database(production: Production) -> None:
    with support.superuser(production) as conn:
        conn.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
    info = make_conninfo(production.settings().conninfo(), user="stranger", password="x")  # noqa: S106
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(info)


def test_patronis_role_for_pg_rewind_keeps_its_way_into_the_database_that_it_works_in() -> None:
    with support.production() as made:
        with psycopg.connect(made.server.conninfo(), autocommit=True) as conn:
            conn.execute("CREATE ROLE rewinder LOGIN PASSWORD 'x'")
            conn.execute("GRANT EXECUTE ON FUNCTION pg_read_binary_file(text) TO rewinder")

        changed = roles.apply(made.settings())

        assert "GRANT CONNECT ON DATABASE postgres TO rewinder" in changed
        assert roles.apply(made.settings()) == []
        info = make_conninfo(made.settings().conninfo(), user="rewinder", password="x", dbname="postgres")  # noqa: S106
        with psycopg.connect(info) as conn:
            conn.execute("SELECT pg_read_binary_file('global/pg_control')")


def test_only_a_superuser_can_make_roles(production: Production) -> None:
    owner = {"db_user": roles.OWNER, "db_password": production.passwords["owner_password"] + " "}

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        roles.apply(production.settings(**owner))
    owner["db_password"] = production.passwords["owner_password"]
    with pytest.raises(psycopg.OperationalError, match='permission denied for database "postgres"'):
        roles.apply(production.settings(environment="local", **owner))
    with support.superuser(production) as conn:
        conn.execute("GRANT CONNECT ON DATABASE postgres TO allezone_owner")
    with pytest.raises(errors.RolesRefused, match="DB_USER=allezone_owner is no superuser"):
        roles.apply(production.settings(environment="local", **owner))
    assert roles.apply(production.settings()) == [
        "REVOKE CONNECT ON DATABASE postgres FROM allezone_owner CASCADE",
    ]


def test_as_a_command_it_says_what_it_changed_and_no_password(production: Production) -> None:
    done, line = _run(production)

    assert (done.returncode, line["event"], line["changed"]) == (0, "roles_made", [])
    assert not [password for password in production.passwords.values() if password in done.stderr + done.stdout]


def test_a_wrong_password_of_the_superuser_is_one_sentence(production: Production) -> None:
    done, line = _run(production, DB_PASSWORD="a wrong one, long enough")  # noqa: S106

    assert (done.returncode, line["event"]) == (1, "roles_failed")
    assert "password authentication failed" in line["error"]
    assert "Traceback" not in done.stderr


def _run(production: Production, **changed: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """The command as a process, and the last line of its log."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    told = {**support.environment(production.settings()), "LOG_FORMAT": "json", **changed}
    done = subprocess.run(
        [sys.executable, "-m", "stores", "roles"],
        cwd=paths.PROJECT,
        env=inherited | told,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    last = done.stderr.splitlines()[-1]
    return done, json.loads(last) if last.startswith("{") else {}
