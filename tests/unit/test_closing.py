"""What tests say for the end of the run is there, however many processes the tests run in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devstack import paths

_CONFTEST = """
import pytest
from tests.support import closing as lines

def pytest_terminal_summary(terminalreporter):
    lines.write(terminalreporter)

@pytest.fixture
def closing(request):
    return lines.teller(request.node)
"""
_TEST = """
import pytest

def test_that_passes(closing):
    closing("numbers", "one of {name}\\n  and its second line")

def test_that_is_skipped(closing):
    closing("numbers", "two of {name}")
    pytest.skip("no server")

def test_that_says_nothing():
    pass
"""


@pytest.mark.parametrize("workers", [0, 2])
def test_every_line_is_at_the_end_once(workers: int, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(_CONFTEST)
    for name in ("first", "second"):
        (tmp_path / f"test_{name}.py").write_text(_TEST.format(name=name))
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", str(workers), "--dist", "loadfile", "."]

    done = subprocess.run(
        argv,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(paths.PROJECT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    _, _, numbers = done.stdout.partition(" numbers ")
    for name in ("first", "second"):
        assert numbers.count(f"one of {name}\n  and its second line\n") == 1, done.stdout
        assert numbers.count(f"two of {name}\n") == 1, done.stdout
