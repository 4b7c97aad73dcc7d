"""`python -m bench.metrics` measures, and judges by its bound."""

import subprocess
import sys

from devstack import paths

FEW = ["--rounds", "3", "--requests", "300"]
SECONDS = 60


def measure(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "bench.metrics", *FEW, *arguments]
    return subprocess.run(argv, cwd=paths.PROJECT, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_it_prints_what_each_kind_of_request_and_of_work_costs() -> None:
    done = measure("--bound", "1000")
    assert done.returncode == 0, done.stdout + done.stderr
    for said in ("per request: POST /user_tags", "per request: any other", "per batch", "per write", "per scrape"):
        assert said in done.stdout


def test_it_fails_above_the_bound() -> None:
    assert measure("--bound=-1000").returncode == 1
