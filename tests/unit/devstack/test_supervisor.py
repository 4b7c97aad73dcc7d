"""Supervision: what ends is started again, later each time, and a person is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import errors, pids, processes, supervisor, waiting
from tests.unit.devstack.sleepers import DEAF, Sleeper

DYING = "raise SystemExit(3)"


class Scene:
    """A supervisor on a clock that the test turns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = 1000.0
        self.said: list[str] = []
        self.supervisor = supervisor.Supervisor(self.pid_file, self.said.append, lambda: self.now)

    def pid_file(self, name: str) -> pids.PidFile:
        return pids.PidFile(self.folder, name)

    def start(self, code: str | None = None) -> Sleeper:
        server = Sleeper(self.folder) if code is None else Sleeper(self.folder, code=code)
        self.supervisor.start(server)
        return server

    def see_it_end(self, server: Sleeper) -> None:
        assert waiting.until(lambda: not server.running, 10)
        self.supervisor.watch()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.supervisor.stop(["sleeper"])


def test_a_started_server_has_a_pid_file(scene: Scene) -> None:
    server = scene.start()

    assert scene.pid_file("sleeper").read() == server.pid


def test_a_killed_server_is_started_again_after_a_moment_and_said_so(scene: Scene) -> None:
    server = scene.start()
    first = server.pid
    server.kill()

    scene.see_it_end(server)
    assert scene.pid_file("sleeper").read() is None
    assert "sleeper: ended by signal 9 (Killed); starting again in 0.5 s" in scene.said[0]
    scene.supervisor.watch()
    assert server.pid == first

    scene.now += 0.5
    scene.supervisor.watch()
    assert server.running
    assert server.pid != first
    assert scene.pid_file("sleeper").read() == server.pid


def test_one_that_keeps_ending_is_started_later_each_time_up_to_a_bound(scene: Scene) -> None:
    server = scene.start(DYING)

    for delay in ("0.5", "1", "2", "4", "8", "16", "30", "30"):
        scene.see_it_end(server)
        assert scene.said[-1].startswith(f"sleeper: ended with status 3; starting again in {delay} s")
        scene.now += float(delay)
        scene.supervisor.watch()


def test_one_that_ran_steadily_before_it_ended_starts_without_paying_for_its_past(scene: Scene) -> None:
    server = scene.start(DYING)
    scene.see_it_end(server)
    scene.now += 0.5
    scene.supervisor.watch()

    scene.now += supervisor.STEADY_SECONDS
    scene.see_it_end(server)

    assert "starting again in 0.5 s" in scene.said[-1]


def test_a_start_that_fails_is_said_and_tried_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    server = scene.start()
    server.kill()
    scene.see_it_end(server)

    def refuse() -> processes.Command:
        reason = "Java has gone"
        raise errors.ToolMissing(reason)

    with monkeypatch.context() as patch:
        patch.setattr(server, "command", refuse)
        scene.now += 0.5
        scene.supervisor.watch()
    assert scene.said[-1] == "sleeper: Java has gone"

    scene.now += 1
    scene.supervisor.watch()
    assert server.running


def test_a_stopped_server_is_not_started_again(scene: Scene) -> None:
    server = scene.start()

    scene.supervisor.stop(["sleeper"])
    scene.supervisor.watch()

    assert not server.running
    assert scene.said == []
    assert scene.pid_file("sleeper").read() is None


def test_one_that_does_not_listen_is_killed_and_said_so(scene: Scene) -> None:
    server = scene.start(DEAF)
    server.stop_seconds = 0.2
    assert waiting.until(lambda: "deaf" in server.log.read_text(), 10)

    scene.supervisor.stop(["sleeper"])

    assert not server.running
    assert "was killed" in scene.said[-1]
