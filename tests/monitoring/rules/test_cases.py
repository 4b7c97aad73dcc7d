"""promtool takes the rules, every case comes out as it says, and no case does so whatever the rule."""

from pathlib import Path
from typing import Any

import pytest

from tests.monitoring.rules import promtool, reading
from tests.support import closing as closing_lines

FILES = reading.case_files()
NAMES = [path.name for path in FILES]
RECORDED = sorted(reading.CASES.glob("*.recorded.yml"))


def test_the_rules_are_some() -> None:
    played = promtool.check(*reading.rule_files())
    assert played.passed, played.output


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_case_comes_out_as_it_says(path: Path) -> None:
    played = promtool.play(path)
    assert played.passed, played.output


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_what_is_recorded_comes_out_as_its_cases_say(path: Path) -> None:
    played = promtool.play(path)
    assert played.passed, played.output


def test_every_alert_has_three_cases(closing: closing_lines.Say) -> None:
    alerts, cases = reading.alerts(), reading.cases()
    lacking = [
        f"{alert.name} {ending}"
        for alert in alerts
        for ending in reading.ENDINGS
        if not any(case.name == f"{alert.name} {ending}" for case in cases)
    ]
    assert lacking == []
    assert {case.alert for case in cases} == {alert.name for alert in alerts}
    closing("rules", f"{len(alerts)} alerts, {len(cases)} cases, {len(reading.recorded())} recording rules")


@pytest.mark.parametrize("case", reading.cases(), ids=lambda case: case.name)
def test_a_case_asks_what_its_name_says(case: reading.Case) -> None:
    assert all(f'alertname="{case.alert}"' in expression for expression in case.firing)
    assert all(name == case.alert for name in case.silent)
    if case.ending.startswith(reading.FIRES):
        assert case.firing
    elif case.ending.startswith(reading.RESOLVES):
        assert case.firing
        assert case.silent
    else:
        assert case.ending.startswith("stays silent")
        assert case.silent
        assert not case.firing


# The objectives take as long as all others together: theirs are thresholds alone, below.
QUICK = [path for path in FILES if not path.name.startswith(("availability", "latency", "freshness"))]


@pytest.mark.parametrize("path", QUICK, ids=lambda path: path.name)
def test_a_rule_that_always_fires_is_noticed(path: Path, tmp_path: Path) -> None:
    played = promtool.play_changed(path, tmp_path, rule=_always)
    assert [name for name in _alerts(path) if f"name: {name} {reading.SILENT}" not in played.output] == []


@pytest.mark.parametrize("path", QUICK, ids=lambda path: path.name)
def test_a_rule_that_waits_too_long_is_noticed(path: Path, tmp_path: Path) -> None:
    played = promtool.play_changed(path, tmp_path, rule=_later)
    assert [name for name in _alerts(path) if f'alertname=\\"{name}\\"' not in played.output] == []


THRESHOLDS = [
    ("edge", "EdgeErrors", "> 0.05", "> 0.045"),
    ("edge", "EdgeConnectionsNearLimit", "> 0.8", "> 0.79"),
    ("gateway", "EventsInFlightNearLimit", "> 0.8", "> 0.79"),
    ("gateway", "EventsMostlyRefused", "> 0.5", "> 0.49"),
    ("gateway", "EventsMostlyRefused", "> 1\n", "> 0.9\n"),
    ("gateway-yesterday", "EventsMostlyRefused", "> 0.6", "> 0.7"),
    ("gateway", "QueriesFailing", "> 0.1", "> 0.09"),
    ("pipeline", "PipelineStalled", "> 45", "> 44"),
    ("pipeline", "PipelineBehind", "> 60", "> 59"),
    ("pipeline", "HoursMissingAhead", "< 1800", "< 1801"),
    ("kafka", "KafkaWithoutController", "> 30000", "> 29999"),
    ("postgres", "PostgresConnectionsNearLimit", "> 0.8", "> 0.79"),
    ("postgres-patroni", "PatroniReplicationLag", "> 256", "> 255"),
    ("aerospike", "AerospikeStorageFilling", "> 60", "> 59"),
    ("aerospike", "AerospikeMemoryLow", "< 15", "< 16"),
    ("nodes", "DiskLow", "< 0.1", "< 0.11"),
    ("availability", "UserTagsAvailabilityFastBurn", "14.4", "13.9"),
    ("availability-slow", "UserTagsAvailabilitySlowBurn", "> 0.1", "> 0.09"),
    ("latency-slow", "LatencySlowBurn", "> 3 ", "> 2.6 "),
    ("freshness", "FreshnessFastBurn", "> 6 ", "> 5.8 "),
]


@pytest.mark.parametrize(("file", "alert", "written", "instead"), THRESHOLDS, ids=lambda value: value)
def test_a_threshold_a_little_looser_is_noticed(
    file: str, alert: str, written: str, instead: str, tmp_path: Path
) -> None:
    def change(rule: dict[str, Any]) -> None:
        if rule["alert"] == alert:
            assert written in rule["expr"]
            rule["expr"] = rule["expr"].replace(written, instead)

    played = promtool.play_changed(reading.CASES / f"{file}.test.yml", tmp_path, rule=change, only=alert)
    assert not played.passed
    assert f"name: {alert} stays silent" in played.output


def _alerts(cases: Path) -> list[str]:
    """The alerts that a file of cases is about."""
    return sorted({case.alert for case in reading.cases() if case.file == cases.name})


def _always(rule: dict[str, Any]) -> None:
    rule["expr"], rule["for"] = "vector(1)", "0s"


def _later(rule: dict[str, Any]) -> None:
    rule["for"] = "90m"
