"""A server's life: started, paused, stopped, killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import errors, waiting
from tests.unit.devstack import sleepers
from tests.unit.devstack.sleepers import Sleeper


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sleeper]:
    server = Sleeper(tmp_path)
    yield server
    server.kill()


def test_a_server_that_ends_instead_of_answering_is_reported_with_the_end_of_its_log(server: Sleeper) -> None:
    server.code = "print('no such luck'); raise SystemExit(7)"
    server.start()
    assert waiting.until(lambda: not server.running, 10)

    with pytest.raises(errors.StartFailed, match=r"(?s)it ended with status 7.*no such luck"):
        server.wait_ready()


def test_a_server_that_does_not_answer_in_time_is_reported(server: Sleeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "answers", lambda: False)
    server.start()

    with pytest.raises(errors.StartFailed, match="no answer within 0 s"):
        server.wait_ready(0.1)


def test_a_paused_server_still_stops_when_asked(server: Sleeper) -> None:
    server.start()
    server.pause()

    assert server.stop()
    assert not server.running


def test_a_server_never_started_can_be_stopped_and_killed(server: Sleeper) -> None:
    assert server.stop()
    server.kill()

    assert server.returncode is None


def test_a_server_dies_with_its_starter_even_when_that_one_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tests.unit.devstack.sleepers import Sleeper\n"
        f"server = Sleeper(Path({str(tmp_path)!r})); server.start()\n"
        "print(server.pid, flush=True); time.sleep(600)"
    )
    sleepers.must_die_with_its_starter(code)
