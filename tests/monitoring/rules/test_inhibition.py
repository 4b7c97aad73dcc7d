"""What follows from a cause is told so late that the cause fires before, however the two are measured and evaluated."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import pytest
import yaml

from devstack import paths
from tests.monitoring.rules import reading, routing

_PROMETHEUS: Final = paths.PROJECT / "monitoring" / "prometheus" / "prometheus.yml"
_EVERY: Final = yaml.safe_load(_PROMETHEUS.read_text("utf-8"))["global"]
_PATRONI: Final = (paths.PROJECT / "services" / "postgres" / "patroni.yaml").read_text("utf-8")
_FOR: Final = {alert.name: routing.seconds(alert.for_ or "0s") for alert in reading.alerts()}
_FIRED: Final = reading.fired()
_AT_ONCE: Final = 15


def _patroni(name: str) -> int:
    [value] = re.findall(rf"^ +{name}: (\d+)$", _PATRONI, re.MULTILINE)
    return int(value)


# Seconds by which what a cause fires for may begin later than what follows from it does. The lock of a primary whose
# machine is gone runs out, and the others have to notice; a gateway asks Kafka each second, and waits for 3.
_LOCK: Final = _patroni("ttl") + _patroni("loop_wait")
_LATER: Final = {"PatroniWithoutPrimary": _LOCK, "DependencyDown": 4}
# Seconds that an alert's own expression waits before it begins, beside its `for`.
_PATIENT: Final = {"PipelineStalled": 45}


class Pair(NamedTuple):
    """A cause, and the labels of an alert that it silences."""

    cause: str
    follows: routing.Labels


def _pairs() -> Iterator[Pair]:
    for rule in routing.example()["inhibit_rules"]:
        causes = {labels["alertname"] for labels in _fired(rule["source_matchers"])}
        for labels in _fired(rule["target_matchers"]):
            yield from (Pair(cause, labels) for cause in sorted(causes))


def _fired(matchers: list[str]) -> list[routing.Labels]:
    """The labels with which such alerts fire in the cases of the rules, each once."""
    found = {tuple(sorted(labels.items())): labels for labels in _FIRED if routing.matches(matchers, labels)}
    return list(found.values())


PAIRS: Final = list(_pairs())


def _name(pair: Pair) -> str:
    return f"{pair.cause}-{pair.follows['alertname']}"


@pytest.mark.parametrize("pair", PAIRS, ids=_name)
def test_a_cause_is_known_before_what_follows_from_it_is_told(pair: Pair) -> None:
    seen = routing.seconds(_EVERY["scrape_interval"]) + routing.seconds(_EVERY["evaluation_interval"])
    known_at_the_latest = _LATER.get(pair.cause, 0) + seen + _FOR[pair.cause]
    name = pair.follows["alertname"]
    told_at_the_soonest = _PATIENT.get(name, 0) + _FOR[name] + routing.group_wait(pair.follows)
    assert known_at_the_latest <= told_at_the_soonest


def test_every_inhibit_rule_is_asked_about() -> None:
    rules = routing.example()["inhibit_rules"]
    asked = [rule for rule in rules if any(routing.matches(rule["target_matchers"], pair.follows) for pair in PAIRS)]
    assert asked == rules


def test_a_page_that_follows_from_nothing_is_told_at_once() -> None:
    targets = [rule["target_matchers"] for rule in routing.example()["inhibit_rules"]]
    causes = [
        labels
        for labels in _fired(['severity = "page"'])
        if not any(routing.matches(matchers, labels) for matchers in targets)
    ]
    assert {labels["alertname"] for labels in causes} >= _LATER.keys()
    assert [labels for labels in causes if routing.group_wait(labels) > _AT_ONCE] == []
