"""What a process answers to `GET /metrics`, held to what docs/metrics.md says of it."""

import subprocess
from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client import Metric as Family
from prometheus_client import parser

from runtime import metrics
from tests.support import programs

_FAULTS_FOUND: Final = 3


_NO_UNIT: Final = ("allezone_pipeline_hours_dropped_total use", "allezone_pipeline_hours_ahead_seconds use")
"""promtool reads "hours" as a unit. Here they are what is counted: the tables of one hour each."""


def families(text: str) -> dict[str, Family]:
    """By the name that the page gives them; Prometheus' text form drops `_total` from a counter's."""
    found = parser.text_string_to_metric_families(text)
    return {f"{family.name}_total" if family.type == "counter" else family.name: family for family in found}


def complaints(text: str, listed: Sequence[metrics.Metric], process: str) -> list[str]:
    """What `process` exports of ours that is not listed for it, lacks of it, or labels with what is not listed."""
    found = {name: family for name, family in families(text).items() if name.startswith("allezone_")}
    expected = {metric.name: metric for metric in listed if metric.only in ("", process)}
    return [
        *(f"{name} is not listed" for name in found.keys() - expected.keys()),
        *(f"{name} is listed and not there" for name in expected.keys() - found.keys()),
        *(each for name in found.keys() & expected.keys() for each in _wrong(found[name], expected[name])),
    ]


def refuse_unidiomatic(text: str) -> None:
    """promtool's own opinion of names, units and help texts."""
    [promtool] = programs.require("promtool")
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    found = checked.stdout + checked.stderr
    wrong = [line for line in found.splitlines() if line.startswith("allezone_") and not line.startswith(_NO_UNIT)]
    assert checked.returncode in (0, _FAULTS_FOUND), found
    assert not wrong, "\n".join(wrong)


def _wrong(family: Family, metric: metrics.Metric) -> Iterator[str]:
    if family.type != metric.kind:
        yield f"{metric.name} is a {family.type}"
    labels = {label.name: label for label in metric.labels}
    for sample in family.samples:
        given = {name: value for name, value in sample.labels.items() if name != "le"}
        if given.keys() != labels.keys():
            yield f"{metric.name} has the labels {sorted(given)}"
        for name in given.keys() & labels.keys():
            if not labels[name].bound and given[name] not in labels[name].values:
                yield f'{metric.name} has {name}="{given[name]}"'
