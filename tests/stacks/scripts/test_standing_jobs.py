"""The files of jobs that scripts start keep to the policies of all stack files, and tell processes what they take."""

from pathlib import Path
from typing import Any, Final

import pytest

from pipeline.commands import OperatorSettings
from tests.stacks import policies, rendering
from tests.stacks.rendering import Stack

_GIVEN: Final = {"PROGRAM": "pass", "MEMBERS": "kafka1", "NETWORK": "kafka", "ARGUMENTS": "rebuild-profiles"}


# Two have lists of the services that run always.
_APPLIED: Final = [
    policy
    for policy in policies.EVERYWHERE
    if policy.__name__ not in {"networks_hold_only_who_needs_them", "stopping_takes_its_time"}
]


@pytest.mark.parametrize("name", ["whole", "once"])
@pytest.mark.parametrize("policy", _APPLIED, ids=lambda policy: policy.__name__)
def test_it_holds_of_a_job_that_a_script_starts(policy: policies.Policy, name: str) -> None:
    assert list(policy(_rendered(name))) == []


@pytest.mark.parametrize("name", ["whole", "once"])
def test_its_networks_and_secrets_are_those_of_the_cluster(name: str) -> None:
    cluster = rendering.render_cluster()
    job = _rendered(name)
    assert _names(job.networks) <= _names(cluster.networks)
    assert _names(job.secrets) <= _names(cluster.secrets)


def test_a_command_starts_with_what_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = _rendered("once").services["command"]["environment"]
    known = {field.upper() for field in OperatorSettings.model_fields}
    assert {name.removesuffix("_FILE") for name in told} <= known
    for name, value in told.items():
        if str(value).startswith("/run/secrets/"):
            value = tmp_path / name
            value.write_text("a secret that is long enough", "utf-8")
        monkeypatch.setenv(name, str(value))
    assert OperatorSettings().environment == "production"


def test_a_command_is_told_what_the_workers_are_told() -> None:
    told = _rendered("once").services["command"]["environment"]
    workers = rendering.render("2.stateless").services["profiles"]["environment"]
    shared = told.keys() & workers.keys() - {"DB_USER", "DB_PASSWORD_FILE"}
    assert {name: told[name] for name in shared} == {name: workers[name] for name in shared}


def _rendered(name: str) -> Stack:
    return rendering.render(name, rendering.environment() | _GIVEN)


def _names(parts: dict[str, dict[str, Any]]) -> set[str]:
    return {str(part["name"]) for part in parts.values() if "name" in part}
