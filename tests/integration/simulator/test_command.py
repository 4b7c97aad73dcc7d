"""The command: what it prints, writes and ends with."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.integration.simulator import judging, wrong
from tests.integration.simulator.stub import Stub


@pytest.mark.parametrize(("system", "status", "told"), [(Stub, 0, "all right"), (wrong.DropsOne, 1, "FAILED")])
async def test_the_command_reports_and_ends_with_the_status(
    system: type[Stub], status: int, told: str, tmp_path: Path
) -> None:
    options = f"--tags {judging.TAGS} --rate 3000 --run-id 7 --cookies 4 --final-aggregates 100 --profile-deadline 0.2"
    async with judging.serving(system()) as target:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "simulator", "--target", target, "--json", str(tmp_path / "report.json")),
            *(*options.split(), "--aggregate-deadline", "0.2"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output = (await asyncio.wait_for(process.communicate(), 60))[0].decode()
    assert process.returncode == status, output
    assert told in output
    assert f"{judging.TAGS:,} tags in" in output
    assert "--seed 1 --run-id 7" in output
    written = json.loads((tmp_path / "report.json").read_bytes())
    assert bool(written["failures"]) == bool(status)


async def test_without_a_system_the_command_says_what_to_do() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--target", "http://127.0.0.1:9"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await asyncio.wait_for(process.communicate(), 60))[0].decode()
    assert process.returncode == 2
    assert "start the system" in output
    assert "Traceback" not in output
