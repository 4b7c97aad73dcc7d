"""Docker's own reading of the files: its schema takes them, nothing is said to be ignored, and it sees what we see."""

import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.stacks import rendering
from tests.stacks.test_policies import FILES, OVERRIDES


@pytest.mark.parametrize(("name", "overrides"), [*((name, ()) for name in FILES), *OVERRIDES])
def test_docker_takes_the_file_and_reads_the_same_in_it(name: str, overrides: tuple[str, ...]) -> None:
    read = _docker_stack_config(name, *overrides)
    ours = rendering.render(name, overrides=overrides)
    assert read["services"].keys() == ours.services.keys()
    for service, theirs in read["services"].items():
        mine = ours.services[service]
        assert theirs.keys() == mine.keys(), service
        assert theirs["image"] == mine["image"]
        assert _words(theirs.get("command")) == _words(mine.get("command"))
        assert theirs.get("environment", {}) == {k: str(v) for k, v in mine.get("environment", {}).items()}
        assert set(theirs["networks"]) == set(mine["networks"])
        assert theirs["deploy"].keys() == mine["deploy"].keys()
        assert theirs["deploy"]["resources"].keys() == mine["deploy"]["resources"].keys()
        assert theirs.get("healthcheck", {}).get("test") == mine.get("healthcheck", {}).get("test")
        assert len(theirs.get("volumes", [])) == len(mine.get("volumes", []))
        assert {each["source"] for each in theirs.get("secrets", [])} == set(_sources(mine))
    for part in ("networks", "secrets", "configs", "volumes"):
        assert (read.get(part) or {}).keys() == getattr(ours, part).keys()


def _words(command: str | list[str] | None) -> list[str]:
    return command.split() if isinstance(command, str) else command or []


def _sources(service: dict[str, Any]) -> list[str]:
    return [each if isinstance(each, str) else each["source"] for each in service.get("secrets", [])]


def _docker_stack_config(*names: str) -> dict[str, Any]:
    """Skipped by name without a docker client of OLDEST_CLIENT or newer, in CI as well, which tries to install one:
    only the client knows its schema, and no package of Python's has it. One that has the command has the schema."""
    every = [file for name in names for file in rendering.files(name)]
    files = [word for file in every for word in ("--compose-file", str(rendering.STACKS / f"{file}.yaml"))]
    command = ["docker", "stack", "config", *files]
    environment = {**rendering.environment(), "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("no docker client: its schema was not asked")
    if "is not a docker command" in done.stderr or "unknown command" in done.stderr:
        pytest.skip(f"a docker client of before version {rendering.OLDEST_CLIENT}: it has no `docker stack config`")
    assert (done.returncode, done.stderr) == (0, "")
    content: dict[str, Any] = yaml.safe_load(done.stdout)
    return content


@pytest.mark.parametrize("name", FILES)
def test_no_message_about_a_missing_variable_has_a_dash(name: str) -> None:
    """Docker's client takes a dash in `${NAME:?message}` for `${NAME-default}`, and deploys half of the message."""
    text = "".join((rendering.STACKS / f"{file}.yaml").read_text("utf-8") for file in rendering.files(name))
    assert [found for found in re.findall(r"\$\{\w+:\?[^}]*\}", text) if "-" in found] == []
