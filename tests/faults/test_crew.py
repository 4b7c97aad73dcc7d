"""Who is killed is started again, who ends by itself is noted, who is removed stays away."""

import os
from collections.abc import Iterator
from pathlib import Path
from signal import SIGINT, SIGUSR1

import pytest

from devstack import ports, processes, waiting, web
from devstack.applications import Application
from tests.faults.crew import Crew

SECONDS = 20.0


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    """Two servers of files, which answer as soon as they have ports."""

    def make(name: str) -> Application:
        port = ports.reserve()
        return Application(name, ["http.server", str(port)], port, dict(os.environ), tmp_path / name, throwaway=True)

    with Crew(make) as made:
        made.add("first", "second")
        for name in made.names:
            assert _serves(made, name)
        yield made


def test_all_of_them_run_and_none_outlives_the_crew(crew: Crew) -> None:
    applications = [crew.application(name) for name in crew.names]
    assert [application.name for application in applications] == ["first", "second"]

    crew.__exit__(None, None, None)

    assert not any(application.running for application in applications)


def test_one_that_is_killed_is_started_again_at_once_and_that_is_nothing_to_note(crew: Crew) -> None:
    before = crew.application("first").pid
    crew.kill("first")
    assert waiting.until(lambda: crew.starts("first") == 2, SECONDS)
    assert _serves(crew, "first")
    assert crew.application("first").pid != before
    assert crew.starts("second") == 1
    assert crew.endings == []


def test_one_that_is_killed_for_good_or_removed_stays_away_until_it_is_added(crew: Crew) -> None:
    crew.kill("first", again=False)
    assert crew.remove("second")
    assert crew.names == []
    assert not crew.application("first").running
    assert not crew.application("second").running

    crew.add("first", "second")
    assert _serves(crew, "first")
    assert _serves(crew, "second")
    assert crew.endings == []


def test_one_that_is_asked_to_restart_does_and_that_is_nothing_to_note(crew: Crew) -> None:
    crew.ask_to_restart("first")
    assert waiting.until(lambda: crew.starts("first") == 2, SECONDS)
    assert _serves(crew, "first")
    assert crew.endings == []


def test_one_that_ends_by_itself_is_started_again_and_noted(crew: Crew) -> None:
    pid = crew.application("second").pid
    assert pid is not None
    processes.signal_all([pid], SIGINT)  # http.server ends in good order
    assert waiting.until(lambda: crew.starts("second") == 2, SECONDS)
    assert [ending.split(" after ")[0] for ending in crew.endings] == ["second ended with status 0"]


def test_one_that_fails_soon_after_its_start_is_noted_once_though_its_next_start_is_a_while_away(crew: Crew) -> None:
    pid = crew.application("second").pid
    assert pid is not None
    processes.signal_all([pid], SIGUSR1)
    assert waiting.until(lambda: crew.starts("second") == 2, SECONDS)
    assert [ending.split(" (")[0] for ending in crew.endings] == [f"second ended by signal {SIGUSR1:d}"]


def test_one_that_is_paused_serves_nobody_until_it_is_resumed(crew: Crew) -> None:
    crew.pause("first")
    pid = crew.application("first").pid
    assert pid is not None
    assert not processes.moves(pid)
    crew.resume("first")
    assert waiting.until(lambda: processes.moves(pid), SECONDS)
    assert crew.starts("first") == 1


def _serves(crew: Crew, name: str) -> bool:
    return waiting.until(lambda: web.answers(crew.application(name).port, "/"), SECONDS)
