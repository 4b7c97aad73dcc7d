"""The state folder: one owner, a private password, forgotten by name."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import errors, layout, leftovers, paths, pids, waiting
from devstack.state import State
from tests.unit.devstack.sleepers import DEAF, Sleeper

HOLD = """
import sys
from pathlib import Path
from devstack.state import State
with State(Path(sys.argv[1])).owned():
    print('mine', flush=True)
    input()
"""


def test_a_second_runner_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    refused = pytest.raises(errors.StateInUse, match=f"started by process {os.getpid()}")

    with State(tmp_path).owned(), refused, State(tmp_path).owned():
        pass


def test_a_killed_owner_leaves_the_folder_to_the_next(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=paths.PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"mine\n"
        with pytest.raises(errors.StateInUse), State(tmp_path).owned():
            pass
        owner.kill()
        owner.wait()

        with State(tmp_path).owned():
            pass


def test_the_password_is_random_private_and_stays(tmp_path: Path) -> None:
    password = State(tmp_path).password()

    assert len(password) >= 32
    assert State(tmp_path).password() == password
    assert stat.S_IMODE((tmp_path / "db-password").stat().st_mode) == 0o600


def test_a_lost_password_of_a_database_that_exists_is_said(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()

    with pytest.raises(errors.DevstackError, match=r"db-password is gone.*make clean-state"):
        State(tmp_path).password()


def test_forgetting_leaves_what_is_not_ours(tmp_path: Path) -> None:
    state = State(tmp_path)
    with state.owned():
        state.password()
        (tmp_path / "holiday.jpg").touch()
        state.forget()

    assert [file.name for file in tmp_path.iterdir()] == ["holiday.jpg"]


def test_leftovers_are_ended_gateways_first_and_said_so(tmp_path: Path) -> None:
    servers = [Sleeper(tmp_path, name) for name in ("kafka", "gateway-1", "pipeline-profiles-1")]
    said: list[str] = []
    for server in servers:
        server.start()
        pids.PidFile(tmp_path, server.name).write(server.pid or 0)

    leftovers.end(tmp_path, layout.in_stop_order(pids.written(tmp_path)), said.append)

    assert [line.split(":")[0] for line in said] == ["gateway-1", "pipeline-profiles-1", "kafka"]
    assert not any(server.running for server in servers)
    assert pids.written(tmp_path) == []


def test_a_leftover_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    said: list[str] = []
    server = Sleeper(tmp_path, "kafka", DEAF)
    server.start()
    assert waiting.until(lambda: "deaf" in server.log.read_text(), 10)
    pids.PidFile(tmp_path, "kafka").write(server.pid or 0)

    leftovers.end(tmp_path, ["kafka"], said.append, patience=0.2)

    assert not server.running


def test_a_stranger_who_got_the_number_of_a_leftover_is_left_alone(tmp_path: Path) -> None:
    said: list[str] = []
    server = Sleeper(tmp_path, "stranger")
    server.start()
    try:
        pids.PidFile(tmp_path, "kafka").write(server.pid or 0)
        (tmp_path / "kafka.started").write_text(f"{server.pid} long ago\n")

        leftovers.end(tmp_path, layout.in_stop_order(pids.written(tmp_path)), said.append)

        assert server.running
        assert said == []
        assert pids.written(tmp_path) == []
    finally:
        server.kill()
