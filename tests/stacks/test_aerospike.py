"""What becomes of Aerospike's configuration in a container: filled in, with every folder that asd wants in place."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.stacks import rendering

FOLDER = rendering.ROOT / "services" / "aerospike"


@pytest.fixture
def started(tmp_path: Path) -> str:
    """The configuration that a stand-in of asd was started with, in a container's folders that are still empty."""
    for name in ("bin", "run", "data"):
        (tmp_path / name).mkdir()
    asd = tmp_path / "bin" / "asd"
    asd.write_text(f'#!/bin/bash\necho "$@" >{tmp_path}/arguments\n')
    asd.chmod(0o755)
    told: dict[str, Any] = rendering.render("1.stateful").services["aerospike1"]["environment"]
    environment = {**told, "RUN_DIR": str(tmp_path / "run"), "DATA_DIR": str(tmp_path / "data")}
    environment["PATH"] = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    subprocess.run([FOLDER / "entrypoint"], env=environment, check=True, timeout=20)
    path = tmp_path / "run" / "aerospike.conf"
    assert (tmp_path / "arguments").read_text().split() == ["--fgdaemon", "--config-file", str(path)]
    return path.read_text()


def test_nothing_is_left_to_fill_in(started: str) -> None:
    assert not re.search(r"@\w+@", started)
    assert "access-address aerospike1" in started
    assert "node-id a1" in started
    assert "filesize 64G" in started


def test_nodes_look_for_the_tasks_of_all_of_them(started: str) -> None:
    seeds = re.findall(r"^\s*mesh-seed-address-port (\S+) 3002$", started, re.MULTILINE)
    nodes = [name for name in rendering.render("1.stateful").services if name.startswith("aerospike")]
    assert sorted(seeds) == [f"tasks.{name}" for name in sorted(nodes)]


def test_every_folder_that_asd_wants_is_there(started: str) -> None:
    """It makes none itself, and ends where the metadata's, or that of functions, is missing."""
    work = Path(_value(started, "work-directory"))
    assert (work / "smd").is_dir()
    assert Path(_value(started, "user-path")).is_dir()


def test_it_writes_where_the_stack_lets_it_alone() -> None:
    """The root file system is read-only: a volume, and memory."""
    service = rendering.render("1.stateful").services["aerospike1"]
    mounts = {mount["target"] if isinstance(mount, dict) else mount.split(":")[1] for mount in service["volumes"]}
    defaults = dict(re.findall(r"\{(RUN_DIR|DATA_DIR):=([^}]+)\}", (FOLDER / "entrypoint").read_text()))
    assert defaults.keys() == {"RUN_DIR", "DATA_DIR"}
    assert set(defaults.values()) <= mounts
    assert "/var/lib" not in (FOLDER / "aerospike.conf").read_text()


def _value(text: str, key: str) -> str:
    found = re.search(rf"^\s*{key}\s+(\S+)", text, re.MULTILINE)
    assert found is not None, key
    return found[1]
