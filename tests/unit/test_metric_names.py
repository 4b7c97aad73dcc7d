"""Prometheus' rules for names and labels, held against every metric of ours.

https://prometheus.io/docs/practices/naming/
"""

import re
from collections.abc import Iterator
from typing import Final

import pytest

import gateway.metrics
import pipeline.metrics
import runtime.metrics
from runtime.metrics import Label, Metric

OURS: Final = [
    *runtime.metrics.LISTING.metrics,
    *gateway.metrics.LISTING.metrics,
    *pipeline.metrics.LISTING.metrics,
]
_PREFIXES: Final = ("allezone_build_", "allezone_gateway_", "allezone_pipeline_")
_NOT_BASE: Final = re.compile(
    "_(ms|millis|milliseconds|us|microseconds|minutes|hours|days|kb|kilobytes|mb|megabytes|percent|count|sum|bucket)"
    "(_total)?$"
)
_PERSONAL: Final = re.compile("cookie|user|origin|brand|category|product|country|address|ip$|path|query|host|time")
_MANY: Final = 250
"""Series of one metric: more than that of one process is a table, not a metric."""


def complaints(metric: Metric) -> Iterator[str]:
    if not re.fullmatch("[a-z][a-z0-9]*(_[a-z0-9]+)+", metric.name) or not metric.name.startswith(_PREFIXES):
        yield "its name is not allezone_, the part, words in lower case"
    if (metric.kind == "counter") is not metric.name.endswith("_total"):
        yield "_total is for counters, and for all of them"
    if _NOT_BASE.search(metric.name):
        yield "its unit is no base unit, or its name is taken by histograms"
    if "timestamp" in metric.name and not metric.name.endswith("_timestamp_seconds"):
        yield "a moment is given in _timestamp_seconds"
    if len(metric.meaning) < 20 or not metric.meaning.endswith("."):
        yield "it does not say what it is"
    series = 1
    for label in metric.labels:
        if _PERSONAL.search(label.name) or label.name in ("le", "quantile", "job", "service", "instance"):
            yield f"no label may be called {label.name}"
        if not label.values and not label.bound:
            yield f"nothing bounds the values of {label.name}"
        if len(set(label.values)) < len(label.values):
            yield f"{label.name} has a value twice"
        series *= max(1, len(label.values))
    if series > _MANY:
        yield f"{series} series"


@pytest.mark.parametrize("metric", OURS, ids=lambda metric: metric.name)
def test_a_metric_follows_the_rules(metric: Metric) -> None:
    assert list(complaints(metric)) == []


def test_no_name_is_given_twice() -> None:
    names = [metric.name for metric in OURS]
    assert len(set(names)) == len(names)
    assert len(names) >= 30


@pytest.mark.parametrize(
    "broken",
    [
        Metric("allezone_gateway_requests", "counter", "Requests that were answered."),
        Metric("allezone_gateway_requests_total", "gauge", "Requests that were answered."),
        Metric("allezone_gateway_wait_ms", "gauge", "For how long somebody waited."),
        Metric("allezone_gateway_wait_hours", "gauge", "For how long somebody waited."),
        Metric("allezone_gateway_wait_count", "gauge", "For how long somebody waited."),
        Metric("allezone_gateway_seen_timestamp", "gauge", "When somebody was seen last."),
        Metric("gateway_wait_seconds", "gauge", "For how long somebody waited."),
        Metric("allezone_gateway_Wait_seconds", "gauge", "For how long somebody waited."),
        Metric("allezone_gateway_wait_seconds", "gauge", ""),
        Metric("allezone_gateway_wait_seconds", "gauge", "For how long somebody waited.", (Label("cookie", ("a",)),)),
        Metric("allezone_gateway_wait_seconds", "gauge", "For how long somebody waited.", (Label("brand_id", ("a",)),)),
        Metric("allezone_gateway_wait_seconds", "gauge", "For how long somebody waited.", (Label("le", ("a",)),)),
        Metric("allezone_gateway_wait_seconds", "gauge", "For how long somebody waited.", (Label("reason"),)),
        Metric("allezone_gateway_wait_seconds", "gauge", "For how long somebody waited.", (Label("why", ("a", "a")),)),
    ],
)
def test_a_metric_that_breaks_a_rule_is_found(broken: Metric) -> None:
    assert len(list(complaints(broken))) == 1
