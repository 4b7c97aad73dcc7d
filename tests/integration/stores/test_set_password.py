"""`python -m stores set-password`: the passwords that `roles` does not set, from a secret that nobody has seen."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from devstack import paths
from devstack.postgres import SUPERUSER
from stores import roles
from tests.support import roles as support
from tests.support.roles import Production

OLD, NEW = secrets.token_urlsafe(24), secrets.token_urlsafe(24)


@pytest.fixture
def chief(production: Production) -> Iterator[str]:
    """A superuser whose password is OLD; the server's own is needed by other tests."""
    with support.superuser(production) as conn:
        conn.execute(f"CREATE ROLE chief SUPERUSER LOGIN PASSWORD '{OLD}'")
        conn.execute(f"CREATE ROLE \"Re-winder\" LOGIN PASSWORD '{OLD}'")
        yield "chief"
        conn.execute('DROP ROLE chief; DROP ROLE "Re-winder"')


def _run(production: Production, role: str, **changed: str) -> tuple[int, dict[str, Any], str]:
    """Exit status, the last line of the log, everything said."""
    told = {
        "DB_HOST": production.server.host,
        "DB_PORT": str(production.server.port),
        "DB_NAME": "not made yet",
        "DB_USER": "chief",
        "DB_PASSWORD": OLD,
        "NEW_PASSWORD": NEW,
        "LOG_FORMAT": "json",
        **changed,
    }
    done = subprocess.run(
        [sys.executable, "-m", "stores", "set-password", role],
        cwd=paths.PROJECT,
        env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | told,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    last = done.stderr.splitlines()[-1]
    return done.returncode, json.loads(last) if last.startswith("{") else {}, done.stdout + done.stderr


def _logs_in(production: Production, role: str, password: str) -> bool:
    info = make_conninfo(production.settings().conninfo(), user=role, password=password, dbname="postgres")
    try:
        psycopg.connect(info).close()
    except psycopg.OperationalError as error:
        return "permission denied for database" in str(error)
    return True


def test_a_superusers_own_password_is_changed_once_and_an_open_session_goes_on(
    production: Production, chief: str
) -> None:
    own = make_conninfo(production.settings().conninfo(), user=chief, password=OLD, dbname="postgres")
    with psycopg.connect(own) as open_session:
        status, line, said = _run(production, chief)
        assert (status, line["event"], line["changed"]) == (0, "password_set", True)
        assert open_session.execute("SELECT 1").fetchone() == (1,)
    assert [_logs_in(production, chief, password) for password in (OLD, NEW)] == [False, True]

    # Again, as a job that was cut off: what it logs in with is not valid any more.
    status, line, again = _run(production, chief)
    assert (status, line["changed"]) == (0, False)
    assert not [text for text in (said, again, production.server.log.read_text()) if NEW in text or OLD in text]


def test_another_roles_password_is_changed(production: Production, chief: str) -> None:
    status, line, _ = _run(production, "Re-winder")

    assert (status, line["changed"]) == (0, True)
    assert [_logs_in(production, "Re-winder", password) for password in (OLD, NEW)] == [False, True]
    assert [_logs_in(production, chief, password) for password in (OLD, NEW)] == [True, False]


@pytest.mark.parametrize(
    ("role", "changed", "sentence"),
    [
        ("nobody", {}, "there is no role nobody: nothing was changed"),
        (roles.OWNER, {}, "the password of allezone_owner is set by `python -m stores roles`"),
        (SUPERUSER, {"DB_PASSWORD": "neither of the two"}, "password authentication failed"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    production: Production, chief: str, role: str, changed: dict[str, str], sentence: str
) -> None:
    status, line, said = _run(production, role, **changed)

    assert (status, line["event"]) == (1, "password_not_set")
    assert sentence in line["error"]
    assert "Traceback" not in said


def test_whom_neither_password_lets_in_is_told_of_both(production: Production, chief: str) -> None:
    status, line, _ = _run(production, chief, DB_PASSWORD="neither of the two")  # noqa: S106 - there is no such

    assert (status, line["event"]) == (1, "password_not_set")
    assert line["error"].startswith("neither password lets in; the old one: ")


@pytest.mark.parametrize(
    ("password", "sentence"),
    [("", "NEW_PASSWORD is missing or an example value"), ("too short", "NEW_PASSWORD has under 16 characters")],
)
def test_a_password_that_can_be_guessed_is_refused(production: Production, password: str, sentence: str) -> None:
    status, _, said = _run(production, SUPERUSER, NEW_PASSWORD=password)

    assert status == 2
    assert said.startswith(f"settings: {sentence}")
