"""Pid files: they name our process, or nobody."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack import pids


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_running_process_is_found_by_its_file(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    pids.PidFile(tmp_path, "kafka").write(sleeper.pid)

    assert pids.PidFile(tmp_path, "kafka").read() == sleeper.pid


def test_the_file_holds_the_number_and_nothing_else(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    pids.PidFile(tmp_path, "kafka").write(sleeper.pid)

    assert (tmp_path / "kafka.pid").read_text() == f"{sleeper.pid}\n"


def test_a_process_that_ended_is_not_found(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    file = pids.PidFile(tmp_path, "kafka")
    file.write(sleeper.pid)
    sleeper.kill()
    sleeper.wait()

    assert file.read() is None


def test_a_zombie_counts_as_ended(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    file = pids.PidFile(tmp_path, "kafka")
    file.write(sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet collected

    assert file.read() is None


def test_a_stranger_with_the_same_number_is_not_taken_for_ours(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    file = pids.PidFile(tmp_path, "kafka")
    file.write(sleeper.pid)
    # What the file would say if the number had been used again since: the same process id, another beginning.
    (tmp_path / "kafka.started").write_text(f"{sleeper.pid} {pids.started(os.getpid())}\n")

    assert file.read() is None


@pytest.mark.parametrize("text", ["", "123", "what is this\n"])
def test_a_file_cut_short_names_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "kafka.started").write_text(text)

    assert pids.PidFile(tmp_path, "kafka").read() is None


def test_a_removed_file_is_gone_and_may_be_removed_again(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    file = pids.PidFile(tmp_path, "kafka")
    file.write(sleeper.pid)
    assert pids.written(tmp_path) == ["kafka"]

    file.remove()
    file.remove()

    assert pids.written(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
