"""The example of an Alertmanager's configuration says what to do with every alert that the rules can send."""

import shutil
import subprocess
from typing import Any, Final

import pytest
import yaml

from tests.stacks import rendering

EXAMPLE: Final = rendering.ROOT / "monitoring" / "alertmanager" / "alertmanager.example.yml"


def test_amtool_takes_the_example() -> None:
    if shutil.which("amtool") is None:
        pytest.skip("no amtool on this machine: the example of an Alertmanager's configuration was not checked")
    done = subprocess.run(["amtool", "check-config", str(EXAMPLE)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_route_leads_to_a_receiver_that_reaches_somebody() -> None:
    read = _read()
    routes = [read["route"], *read["route"]["routes"]]
    receivers = {each["name"]: [key for key in each if key.endswith("_configs")] for each in read["receivers"]}
    assert {route["receiver"] for route in routes} == receivers.keys()
    assert all(receivers.values())


def test_every_severity_of_the_rules_is_one_that_the_example_knows() -> None:
    """What has a route of its own wakes somebody; the rest goes where the first route leads."""
    folder = rendering.ROOT / "monitoring" / "prometheus" / "rules"
    groups = [group for path in folder.glob("*.yml") for group in yaml.safe_load(path.read_text("utf-8"))["groups"]]
    given = {rule["labels"]["severity"] for group in groups for rule in group["rules"] if "alert" in rule}
    routed = [route["matchers"] for route in _read()["route"]["routes"]]
    assert given == {"page", "ticket"}
    assert routed == [['severity = "page"']]


def test_the_service_reads_the_secret_and_nothing_else() -> None:
    service = rendering.render("2.stateless").services["alertmanager"]
    assert "--config.file=/run/secrets/alertmanager" in service["command"]
    assert [each["target"] for each in service["secrets"]] == ["alertmanager"]
    assert "configs" not in service


def _read() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text("utf-8"))
    return read
