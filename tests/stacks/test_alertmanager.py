"""The example of an Alertmanager's configuration says what to do with every alert that the rules can send."""

import re
import shutil
import subprocess
from typing import Any, Final

import pytest
import yaml

from tests.monitoring.rules import reading, routing
from tests.stacks import rendering

EXAMPLE: Final = rendering.ROOT / "monitoring" / "alertmanager" / "alertmanager.example.yml"
ENDS: Final = ("source_matchers", "target_matchers")


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
    """What has a route of its own wakes somebody; the rest goes where the first route leads, if it ends at all."""
    alerts = reading.alerts()
    assert {alert.labels["severity"] for alert in alerts} == {"page", "ticket", "none"}
    assert [alert.name for alert in alerts if alert.labels["severity"] == "none"] == ["Watchdog"]
    routed = [(route["matchers"], route["receiver"]) for route in _read()["route"]["routes"]]
    assert routed[0] == (['alertname = "Watchdog"'], "heartbeat")
    assert routed[-1] == (['severity = "page"'], "on-call")


def test_that_one_receiver_does_not_work_is_told_to_all_who_are_told_of_anything() -> None:
    routes = _read()["route"]["routes"]
    [also] = [route for route in routes if route["matchers"] == ['alertname = "AlertmanagerNotificationsFailing"']]
    assert (also["receiver"], also["continue"]) == (_read()["route"]["receiver"], True)
    [failing] = [alert for alert in reading.alerts() if alert.name == "AlertmanagerNotificationsFailing"]
    assert failing.labels["severity"] == "page"


def test_what_is_silenced_by_a_cause_can_fire_together_with_it() -> None:
    """As both fire in the cases of the rules: an inhibit rule that can match nothing is none."""
    fired = reading.fired()
    for rule in _read()["inhibit_rules"]:
        sources, targets = ([labels for labels in fired if routing.matches(rule[end], labels)] for end in ENDS)
        equal = rule.get("equal", [])
        pairs = [(s, t) for s in sources for t in targets if s["alertname"] != t["alertname"]]
        assert any(all(s.get(name) == t.get(name) for name in equal) for s, t in pairs), rule
        assert all(name in labels for name in equal for labels in [*sources, *targets]), rule
        told = {name for matcher in rule["target_matchers"] for name in re.findall(r"\b[A-Z]\w+", matcher)}
        assert told == {labels["alertname"] for labels in targets}, rule


def test_the_service_reads_the_secret_and_nothing_else() -> None:
    service = rendering.render("2.stateless").services["alertmanager"]
    assert "--config.file=/run/secrets/alertmanager" in service["command"]
    assert [each["target"] for each in service["secrets"]] == ["alertmanager"]
    assert "configs" not in service


def _read() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text("utf-8"))
    return read
