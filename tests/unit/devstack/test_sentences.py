"""What a person reads when the machine is not ready for the system."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import bootstrap, errors, jars, layout, paths, ports, tools
from devstack.settings import DevstackSettings


def program(folder: Path, name: str, script: str) -> None:
    """A program of that name, first on the PATH that the test sets."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is all of the PATH."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return folder


def test_without_java_the_sentence_says_what_to_install(path: Path) -> None:
    with pytest.raises(errors.ToolMissing, match=r"Java 17 or newer is needed.*apt install default-jre-headless"):
        tools.java()


@pytest.mark.parametrize(
    ("version", "shown"),
    [('openjdk version "11.0.2" 2019-01-15', "is 11"), ('java version "1.8.0_392"', "is 8"), ("gibberish", "unknown")],
)
def test_an_old_java_is_named_with_its_version(path: Path, version: str, shown: str) -> None:
    program(path, "java", f"echo '{version}' >&2")

    with pytest.raises(errors.ToolMissing, match=f"{path}/java is .*{shown.removeprefix('is ')}"):
        tools.java()


def test_java_home_comes_before_the_path(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path, "java", """echo 'openjdk version "11.0.2"' >&2""")
    (tmp_path / "jdk" / "bin").mkdir(parents=True)
    program(tmp_path / "jdk" / "bin", "java", """echo 'openjdk version "21" 2023-09-19' >&2""")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))

    assert tools.java() == str(tmp_path / "jdk" / "bin" / "java")


def test_without_maven_the_sentence_says_what_to_install(path: Path, tmp_path: Path) -> None:
    with pytest.raises(errors.ToolMissing, match=r"no `mvn` is on the PATH.*apt install maven"):
        jars.ensure(tmp_path / "cache")


def test_when_maven_fails_its_words_are_shown_and_nothing_half_fetched_is_kept(path: Path, tmp_path: Path) -> None:
    program(path, "mvn", "echo 'Could not transfer artifact'; exit 1")
    cache = tmp_path / "cache"

    with pytest.raises(errors.JarsUnavailable, match=r"(?s)online.*Could not transfer artifact"):
        jars.ensure(cache)

    assert not jars.present(cache)
    assert [file.name for file in cache.iterdir()] == ["kafka.lock"]


def test_jars_are_fetched_once(path: Path, tmp_path: Path) -> None:
    (path / "mkdir").symlink_to("/bin/mkdir")
    (path / "echo").symlink_to("/bin/echo")
    program(
        path,
        "mvn",
        f'echo fetched >> {tmp_path}/calls; for a; do case $a in -DoutputDirectory=*) mkdir "${{a#*=}}"; esac; done',
    )
    cache = tmp_path / "cache"

    assert jars.ensure(cache) == jars.ensure(cache) == jars.folder(cache)

    assert (tmp_path / "calls").read_text() == "fetched\n"


def settings_on_free_ports(**changes: int) -> DevstackSettings:
    names = ("gateway_port", "aggregates_port", "profiles_port", "kafka_port", "kafka_controller_port", "db_port")
    free = {name: ports.reserve() for name in names}
    return DevstackSettings.model_validate(free | changes)


def test_free_ports_raise_no_complaint() -> None:
    layout.refuse_busy_ports(settings_on_free_ports())


def test_a_busy_port_is_named_with_its_owner_and_the_setting_that_moves_it() -> None:
    with socket.create_server((ports.HOST, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(errors.PortBusy) as caught:
            layout.refuse_busy_ports(settings_on_free_ports(gateway_port=port))

    assert f"Port {port} for gateway-1 is taken by process {os.getpid()}" in str(caught.value)
    assert "GATEWAY_PORT=... make run" in str(caught.value)


def test_two_processes_on_one_port_are_refused() -> None:
    first = ports.reserve(2)
    settings = settings_on_free_ports(gateway_port=first, aggregates_port=first + 1).model_copy(update={"gateways": 2})

    with pytest.raises(errors.PortBusy, match="move it with AGGREGATES_PORT"):
        layout.refuse_busy_ports(settings)


def test_an_old_python_is_told_which_one_to_use(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(path, "python3.12", "")
    monkeypatch.setattr(sys, "version_info", _Version(3, 9))

    assert bootstrap.main("local") == 2

    assert "Python 3.11 or newer is needed" in capsys.readouterr().err


def test_a_setting_that_is_no_port_is_refused_in_a_sentence() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "devstack", "run"],
        cwd=paths.PROJECT,
        env={**os.environ, "GATEWAY_PORT": "high"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert "GATEWAY_PORT" in done.stderr
    assert "Traceback" not in done.stderr


class _Version(tuple[int, ...]):
    def __new__(cls, *numbers: int) -> _Version:
        return super().__new__(cls, numbers)

    @property
    def major(self) -> int:
        return self[0]

    @property
    def minor(self) -> int:
        return self[1]
