"""What becomes of Patroni's configuration in a container: filled in from secrets, refused where one is weak."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.stacks import rendering

FOLDER = rendering.ROOT / "services" / "postgres"


@pytest.fixture(scope="module")
def configure() -> ModuleType:
    spec = importlib.util.spec_from_file_location("configure", FOLDER / "configure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def environment(configure: ModuleType, tmp_path: Path) -> dict[str, str]:
    """What the stack gives patroni1, with secrets in files of the test's own."""
    told: dict[str, Any] = dict(rendering.render("1.stateful").services["patroni1"]["environment"])
    for name in configure.SECRETS:
        path = tmp_path / name
        path.write_text(f"{name} is: long & 'odd' \"enough\" # $HOME\n")
        told[f"{name}_FILE"] = str(path)
    return told


def test_it_is_whole_and_says_what_was_given(configure: ModuleType, environment: dict[str, str]) -> None:
    content = _configured(configure, environment)
    assert content["name"] == "patroni1"
    assert content["restapi"]["connect_address"] == "patroni1:8008"
    assert content["etcd3"]["hosts"] == environment["ETCD_HOSTS"]
    given = Path(environment["REPLICATION_PASSWORD_FILE"]).read_text().rstrip("\n")
    assert content["postgresql"]["authentication"]["replication"]["password"] == given


def test_a_primary_keeps_its_lock_while_it_is_slow(configure: ModuleType, environment: dict[str, str]) -> None:
    """Patroni's own rule; beyond it a live primary and its successor could both believe to have the lock."""
    dcs = _configured(configure, environment)["bootstrap"]["dcs"]
    assert dcs["loop_wait"] + 2 * dcs["retry_timeout"] <= dcs["ttl"]
    assert (dcs["synchronous_mode"], dcs["synchronous_node_count"]) == ("quorum", 1)


def test_nobody_comes_in_without_scram(configure: ModuleType, environment: dict[str, str]) -> None:
    rules = _configured(configure, environment)["postgresql"]["pg_hba"]
    assert {rule.split()[-1] for rule in rules} == {"scram-sha-256", "reject"}


@pytest.mark.parametrize("name", ["SUPERUSER_PASSWORD", "REPLICATION_PASSWORD", "REWIND_PASSWORD", "API_PASSWORD"])
def test_a_secret_that_is_missing_or_short_is_refused(
    configure: ModuleType, environment: dict[str, str], name: str
) -> None:
    with pytest.raises(configure.Unusable, match=f"{name}_FILE is not set"):
        configure.values({key: value for key, value in environment.items() if key != f"{name}_FILE"})
    with pytest.raises(configure.Unusable, match="cannot be read"):
        configure.values({**environment, f"{name}_FILE": "/nonexistent"})
    Path(environment[f"{name}_FILE"]).write_text("changeme")
    with pytest.raises(configure.Unusable, match="16 characters"):
        configure.values(environment)


def test_a_secret_in_the_environment_is_refused(configure: ModuleType, environment: dict[str, str]) -> None:
    with pytest.raises(configure.Unusable, match="everybody can read it"):
        configure.values({**environment, "API_PASSWORD": "0123456789abcdef0123456789abcdef"})


def _configured(configure: ModuleType, environment: dict[str, str]) -> dict[str, Any]:
    template = (FOLDER / "patroni.yaml").read_text("utf-8")
    content: dict[str, Any] = yaml.safe_load(configure.fill(template, configure.values(environment)))
    return content
