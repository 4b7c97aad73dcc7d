"""What a process answers to `GET /metrics`, held to what docs/metrics.md says of it."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence

import pytest
from prometheus_client import Metric as Family
from prometheus_client import parser

from runtime import metrics


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
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    # Not ours: the client library's own collectors.
    ours = [line for line in checked.stderr.splitlines() if line.startswith("allezone_")]
    assert not ours, "\n".join(ours)


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
