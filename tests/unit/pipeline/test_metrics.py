"""What the aggregates worker says of its hours, whether or not it could look after them lately."""

import math
import time
from collections.abc import Iterator

import pytest
from prometheus_client import Gauge

from pipeline import metrics
from stores import hours


@pytest.fixture(autouse=True)
def no_look_yet() -> Iterator[None]:
    metrics.begin_hours(time.time())
    yield
    metrics.begin_hours(time.time())


def value(gauge: Gauge) -> float:
    [family] = gauge.collect()
    [sample] = family.samples
    return sample.value


def test_before_the_first_look_what_lies_ahead_is_a_number_that_an_alert_can_compare(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    began = time.time()
    metrics.begin_hours(began)
    monkeypatch.setattr("pipeline.metrics.time.time", lambda: began + 300)
    assert value(metrics.HOURS_AHEAD) == -300


def test_before_the_first_look_nobody_knows_whether_retention_is_behind() -> None:
    assert math.isnan(value(metrics.RETENTION_BEHIND))


def test_a_look_says_how_far_ahead_hours_are_made_and_how_far_retention_is_behind() -> None:
    metrics.observe_hours(hours.Standing(time.time() + 5_000, 77.0))
    assert value(metrics.HOURS_AHEAD) == pytest.approx(5_000, abs=5)
    assert value(metrics.RETENTION_BEHIND) == 77


def test_where_no_look_succeeds_any_more_what_lies_ahead_becomes_less(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    metrics.observe_hours(hours.Standing(now + 5_000, 0.0))
    monkeypatch.setattr("pipeline.metrics.time.time", lambda: now + 6_000)
    assert value(metrics.HOURS_AHEAD) == -1_000
