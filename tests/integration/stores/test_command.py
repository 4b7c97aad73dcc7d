"""`python -m stores migrate`, as a container's or an operator's first step runs it."""

import json
import os
import subprocess
import sys
from typing import Any

import psycopg

from runtime.settings import DatabaseSettings


def run(database: DatabaseSettings, **changed: str) -> tuple[int, dict[str, Any]]:
    """Exit status and the last line of the log."""
    environment = {
        **os.environ,
        "DB_HOST": database.db_host,
        "DB_PORT": str(database.db_port),
        "DB_NAME": database.db_name,
        "DB_USER": database.db_user,
        "DB_PASSWORD": database.db_password.get_secret_value(),
        "LOG_FORMAT": "json",
        **changed,
    }
    done = subprocess.run(
        [sys.executable, "-m", "stores", "migrate"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    last: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])
    return done.returncode, last


def test_an_empty_database_gets_everything_and_the_next_run_finds_nothing_to_do(database: DatabaseSettings) -> None:
    with psycopg.connect(database.conninfo(), autocommit=True) as conn:
        conn.execute("DROP SCHEMA public CASCADE")
        conn.execute("CREATE SCHEMA public")

    status, line = run(database)
    assert status == 0
    assert line["applied"][:1] == ["0001_tables"]

    status, line = run(database)
    assert (status, line["applied"]) == (0, [])


def test_a_database_that_does_not_exist_is_one_sentence_and_status_1(database: DatabaseSettings) -> None:
    status, line = run(database, DB_NAME="nowhere")

    assert status == 1
    assert line["event"] == "migration_failed"
    assert 'database "nowhere" does not exist' in line["error"]
