"""Every series that a rule asks for is somebody's: of our processes, of an exporter as recorded, of another rule."""

import re
from pathlib import Path
from typing import Final
from urllib.request import urlopen

import pytest

import gateway.metrics
import pipeline.metrics
import runtime.metrics
from devstack import paths, ports
from runtime.metrics import Metric
from tests.monitoring.dashboards import expressions, prometheus
from tests.monitoring.rules import alertmanager, reading

RECORDED: Final = paths.PROJECT / "tests" / "monitoring" / "recorded"
BY_PROMETHEUS: Final = {
    "up",
    "ALERTS",
    "prometheus_config_last_reload_successful",
    "prometheus_notifications_alertmanagers_discovered",
    "prometheus_notifications_dropped_total",
    "prometheus_rule_evaluation_failures_total",
}
BY_ALERTMANAGER: Final = {"alertmanager_notifications_failed_total"}
# The client library's own collector, in each of our processes.
BY_THE_LIBRARY: Final = {"process_start_time_seconds", "process_cpu_seconds_total", "process_resident_memory_bytes"}
# What looks like a series in a runbook's indented lines, which also hold commands.
IN_RUNBOOKS: Final = re.compile(
    r"(?<![\w/.-])((?:allezone|alertmanager|kafka|patroni|pg|etcd|aerospike|haproxy|node|probe|prometheus|process)_[a-z_]+"
    r"|[a-z_]+:[a-z_]+:[a-z0-9_]+)(?![\w(.-])"
)


def _ours() -> dict[str, Metric]:
    """By the names of their series."""
    listings = (runtime.metrics.LISTING, gateway.metrics.LISTING, pipeline.metrics.LISTING)
    listed = [metric for listing in listings for metric in listing.metrics]
    endings = {"histogram": ("_bucket", "_sum", "_count")}
    return {f"{metric.name}{ending}": metric for metric in listed for ending in endings.get(metric.kind, ("",))}


def _recorded() -> set[str]:
    texts = [path.read_text("utf-8") for path in sorted(RECORDED.glob("*.prom"))]
    lines = [line for text in texts for line in text.splitlines() if line and not line.startswith("#")]
    return {line.partition("{")[0].partition(" ")[0] for line in lines}


OURS: Final = _ours()
EVERY: Final = [
    (path.stem, rule.get("alert") or rule["record"], rule["expr"])
    for path in reading.rule_files()
    for rule in reading.rules(path)
]


def test_every_name_is_known() -> None:
    known = _known()
    asked = {(name, series.name) for _, name, expr in EVERY for series in expressions.series(expr)}
    assert sorted((name, series) for name, series in asked if series not in known) == []


def test_runbooks_ask_for_nothing_that_is_not_there() -> None:
    asked = [(path.stem, name) for path in sorted(reading.RUNBOOKS.glob("*.md")) for name in _queried(path)]
    known = _known()
    assert len(asked) > len(reading.alerts())
    assert [(page, name) for page, name in asked if name not in known] == []


def test_prometheus_itself_has_what_is_asked_of_it(tmp_path: Path) -> None:
    server = prometheus.Prometheus(tmp_path, [])
    server.start()
    try:
        server.wait_ready()
        with urlopen(f"http://{ports.HOST}:{server.port}/metrics") as answer:
            text = answer.read().decode()
    finally:
        server.stop()
    assert [name for name in sorted(BY_PROMETHEUS) if "_" in name and f"# TYPE {name} " not in text] == []


def test_an_alertmanager_has_what_is_asked_of_it_for_each_kind_of_receiver_before_anything_fails(
    tmp_path: Path,
) -> None:
    server = alertmanager.Alertmanager(tmp_path)
    server.start()
    try:
        server.wait_ready()
        text = server.metrics()
    finally:
        server.stop()
    for name in BY_ALERTMANAGER:
        for integration in ("email", "webhook"):
            assert re.search(rf'^{name}{{.*integration="{integration}".*}} 0$', text, re.MULTILINE), name


@pytest.mark.parametrize(("file", "name", "expr"), EVERY, ids=[f"{file}-{name}" for file, name, _ in EVERY])
def test_a_label_of_ours_has_the_values_that_a_rule_asks_for(file: str, name: str, expr: str) -> None:
    for series in expressions.series(expr):
        metric = OURS.get(series.name)
        labels = {label.name: label for label in metric.labels} if metric else {}
        for label, operator, value in series.matchers if metric else ():
            if label == "le":
                assert float(value) in metric.buckets if metric else (), (file, name, series)
            elif label not in ("job", "service"):
                assert label in labels, (file, name, series)
                if operator == "=" and not labels[label].bound:
                    assert value in labels[label].values, (file, name, series)


def _known() -> set[str]:
    return {*OURS, *_recorded(), *reading.recorded(), *BY_PROMETHEUS, *BY_ALERTMANAGER, *BY_THE_LIBRARY}


def _queried(page: Path) -> list[str]:
    lines = [line for line in page.read_text("utf-8").splitlines() if line.startswith("    ")]
    return [name for line in lines for name in IN_RUNBOOKS.findall(line)]
