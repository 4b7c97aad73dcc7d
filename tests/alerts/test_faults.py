"""The alerts that `make test-alerts` waits for are there, and can be raised in the time that it waits."""

from typing import Any

import pytest
import yaml

from devstack.monitoring import prometheus
from tests.alerts import faults, trial

_OTHER_SECONDS = 60  # a scrape, a dependency's patience, a few seconds of traffic


@pytest.mark.parametrize("name", faults.ALL)
def test_the_alert_of_a_fault_is_there_and_does_not_wait_for_too_long(name: str) -> None:
    rule = alerts()[faults.ALL[name].alert.name]

    assert seconds(rule.get("for", "0s")) + _OTHER_SECONDS <= trial.RAISED_SECONDS


def alerts() -> dict[str, dict[str, Any]]:
    """The alerting rules by name."""
    found = [yaml.safe_load(file.read_text("utf-8")) for file in sorted((prometheus.CONFIG / "rules").glob("*.yml"))]
    rules = [rule for file in found for group in file["groups"] for rule in group["rules"]]
    return {rule["alert"]: rule for rule in rules if "alert" in rule}


def seconds(duration: str) -> int:
    """Of a duration in one unit, as rules write it."""
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600}[duration[-1]]
