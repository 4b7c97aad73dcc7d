"""What the example of an Alertmanager's configuration does with an alert, by its labels."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.monitoring.rules import alertmanager

Labels = Mapping[str, str]
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def example() -> dict[str, Any]:
    """The example as it is."""
    read: dict[str, Any] = yaml.safe_load(alertmanager.EXAMPLE.read_text("utf-8"))
    return read


def group_wait(labels: Labels) -> int:
    """Seconds until an alert that nothing else was told of is told. Of several routes the shortest."""
    root = example()["route"]
    return min(_waits(root, labels, root["group_wait"]))


def matches(matchers: list[str], labels: Labels) -> bool:
    """Of the matchers that the example uses: `name = "value"` and `name =~ "regular expression"`."""
    for matcher in matchers:
        found = re.fullmatch(r'(\w+) (=~?) "(.*)"', matcher)
        assert found is not None, matcher
        wanted = found[3] if found[2] == "=~" else re.escape(found[3])
        if not re.fullmatch(wanted, labels.get(found[1], "")):
            return False
    return True


def seconds(duration: str) -> int:
    """Of a duration in one unit, as rules and routes write it."""
    return int(duration[:-1]) * _SECONDS[duration[-1]]


def _waits(route: Mapping[str, Any], labels: Labels, inherited: str) -> list[int]:
    """As the Alertmanager goes: into the first branch that matches, and into others while one says `continue`."""
    own = route.get("group_wait", inherited)
    found: list[int] = []
    for branch in route.get("routes", []):
        if matches(branch["matchers"], labels):
            found += _waits(branch, labels, own)
            if not branch.get("continue", False):
                return found
    return found or [seconds(own)]
