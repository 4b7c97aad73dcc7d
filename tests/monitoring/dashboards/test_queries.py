"""Every query of every panel, asked of real servers: each has an answer.

Those about our own processes are asked of a Prometheus that has seen real ones at work, those about the business of the
real PostgreSQL as the analyst's role, those about servers that cannot run here of their recorded metrics.
"""

import math
import re
import time
from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from devstack import waiting
from devstack.kafka import KafkaServer
from gateway import metrics as gateway_metrics
from pipeline import metrics as pipeline_metrics
from runtime import metrics
from tests.monitoring.dashboards import expansion, expressions, promises, reading, recordings, replay, scene
from tests.monitoring.dashboards.expressions import Series
from tests.monitoring.dashboards.reading import Question
from tests.monitoring.dashboards.scene import Scene
from tests.support import closing as closing_lines

# What a query has where nothing of the kind has happened: monitoring/dashboards/promql.py.
ZERO: Final = "vector(0)"
NOTHING: Final = "(vector(0) > 1)"
LISTED: Final = {
    metric.name: metric
    for listing in (gateway_metrics.LISTING, pipeline_metrics.LISTING, metrics.LISTING)
    for metric in listing.metrics
}
ENDINGS: Final = ("", "_bucket", "_sum", "_count")
PROMETHEUS_OWN: Final = {"up", "ALERTS"}
SECONDS: Final = 30.0
LEGEND: Final = re.compile(r"\{\{(\w+)\}\}")
# What Prometheus itself adds to each series, and an alert's rule to ALERTS.
ADDED: Final = {"job", "service", "instance", "alertname", "severity"}


@pytest.fixture(scope="module")
def playing(kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene.playing(kafka, tmp_path_factory.mktemp("dashboards")) as made:
        yield made


@pytest.mark.parametrize("name", reading.names())
def test_every_query_has_an_answer(name: str, playing: Scene, closing: closing_lines.Say) -> None:
    values = _values(name, playing)
    questions = reading.questions(name)
    answered = [question for question in questions if _answer(question, playing, values)]
    by_itself = [each for each in answered if _answer(_without_zero(each), playing, values)]

    panels = len(list(reading.panels(reading.board(name))))
    closing(
        "dashboards",
        f"{name}: {panels} panels, {len(questions)} queries run, {len(answered)} returned data, "
        f"{len(answered) - len(by_itself)} of them a 0 that stands for nothing counted yet",
    )
    assert [str(question) for question in questions if question not in answered] == []


@pytest.mark.parametrize("name", reading.names())
def test_every_series_asked_for_is_one_that_is_exported(name: str, playing: Scene) -> None:
    """Also those of errors that have not happened, in whose place a query has a 0."""
    exported = set(playing.prometheus.ask("metadata")) | _recorded(playing)
    for question in reading.questions(name):
        if question.source == "prometheus":
            for series in expressions.series(question.text):
                assert series.name in PROMETHEUS_OWN or exported & _families(series.name), (str(question), series.name)
                assert _wrong_labels(series) == [], str(question)


@pytest.mark.parametrize("name", reading.names())
def test_every_label_that_tells_lines_apart_is_one_of_their_series(name: str, playing: Scene) -> None:
    for question in reading.questions(name):
        if question.source == "prometheus":
            asked = expressions.grouping(question.text) | set(LEGEND.findall(question.legend))
            assert asked <= _labels(question, playing), str(question)


def test_the_overview_shows_which_promise_is_broken(playing: Scene) -> None:
    """Not of latency, which on a machine that runs tests is anybody's guess."""
    assert _broken(playing) - {"latency"} == set()

    playing.break_exactness()

    assert waiting.until(lambda: _broken(playing) - {"latency"} == {"exactness"}, SECONDS), _broken(playing)


def _answer(question: Question, playing: Scene, values: Mapping[str, str]) -> list[float]:
    """What there is to show: numbers only, and of graphs all that they draw."""
    shown = playing.shown()
    step = shown.step(question.interval)
    if question.source == "postgres":
        rows = playing.ask_database(expansion.sql(question.text, shown, step))
        return [float(row[-1]) for row in rows if row[-1] is not None]
    expression = expansion.promql(question.text, shown, step, values)
    if question.instant:
        found = playing.prometheus.at(expression, shown.end)
    else:
        found = playing.prometheus.over(expression, shown.start, shown.end, step)
    return [value for value in found if math.isfinite(value)]


def _without_zero(question: Question) -> Question:
    return question._replace(text=question.text.replace(ZERO, NOTHING))


def _values(name: str, playing: Scene) -> dict[str, str]:
    """A dashboard's variables, all of whose values are chosen; each has some."""
    found = {}
    for variable in reading.board(name)["templating"]["list"]:
        asked = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
        assert asked is not None, variable
        choices = playing.prometheus.ask(f"label/{asked[2]}/values", **{"match[]": asked[1]})
        assert choices, variable
        found[variable["name"]] = "|".join(choices)
    return found


def _recorded(playing: Scene) -> set[str]:
    """The names that the project's own recording rules make."""
    groups = playing.prometheus.ask("rules", type="record")["groups"]
    return {rule["name"] for group in groups for rule in group["rules"]}


def _families(name: str) -> set[str]:
    """What a series may be of: itself, or a histogram's part."""
    return {name} | {name.removesuffix(ending) for ending in ENDINGS if ending and name.endswith(ending)}


def _labels(question: Question, playing: Scene) -> set[str]:
    """All that the series that are asked for may have."""
    names = [series.name for series in expressions.series(question.text)]
    listed = [LISTED[family] for name in names for family in _families(name) if family in LISTED]
    found = playing.prometheus.ask("labels", **{"match[]": names})
    return ADDED | set(found) | {label.name for metric in listed for label in metric.labels}


def _wrong_labels(series: Series) -> list[str]:
    """Labels, and values of labels, that one of our own metrics never has."""
    metric = next((LISTED[family] for family in _families(series.name) if family in LISTED), None)
    if metric is None:
        return []
    labels = {label.name: label for label in metric.labels}
    wrong = []
    for name, operator, value in series.matchers:
        if name in ("job", "service", "instance", "le"):
            continue
        if name not in labels:
            wrong.append(name)
        elif operator == "=" and labels[name].values and value not in labels[name].values:
            wrong.append(f"{name}={value}")
    return wrong


def _broken(playing: Scene) -> set[str]:
    """The names of the promises of which the first panel of their row has a red figure; each has figures."""
    shown = playing.shown()
    broken = set()
    for promise in promises.all_of_them():
        for figure in promise.figures:
            found = playing.prometheus.at(expansion.promql(figure.query, shown, shown.step(), {}), shown.end)
            assert found, figure
            if any(figure.is_red(value) for value in found):
                broken.add(promise.name)
    return broken


def test_a_recording_moves_on_where_it_counts() -> None:
    recorded = (
        '# TYPE a counter\na_total{x="1 2"} 200\na 100\n# TYPE g gauge\ng 100\n# TYPE h histogram\n'
        'h_bucket{le="1"} 100\nh_sum 1e3\nh_count 100\n'
    )

    assert replay.moved_on(recorded, 2) == (
        '# TYPE a counter\na_total{x="1 2"} 204.0\na 102.0\n# TYPE g gauge\ng 100\n# TYPE h histogram\n'
        'h_bucket{le="1"} 102.0\nh_sum 1020.0\nh_count 102.0\n'
    )


def test_a_certificate_that_was_recorded_is_valid_however_long_ago_that_was() -> None:
    moved = replay.moved_on("# TYPE probe_ssl_earliest_cert_expiry gauge\nprobe_ssl_earliest_cert_expiry 1e+09\n", 1)

    assert float(moved.split()[-1]) > time.time()


def test_every_recording_says_whose_it_is() -> None:
    assert {each.name for each in recordings.all_of_them()} == {path.stem for path in recordings.FOLDER.glob("*.prom")}


def test_a_query_for_what_nobody_exports_is_found(playing: Scene) -> None:
    shown = playing.shown()
    assert playing.prometheus.at("sum(allezone_gateway_request_total)", shown.end) == []
    assert _wrong_labels(Series("allezone_gateway_requests_total", (("state", "=", "204"),))) == ["state"]
    assert _wrong_labels(Series("allezone_gateway_requests_total", (("status", "=", "209"),))) == ["status=209"]
