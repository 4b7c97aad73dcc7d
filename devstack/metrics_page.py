"""docs/metrics.md, written from the metrics themselves: `python -m devstack.metrics_page > docs/metrics.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Final

import gateway.metrics
import pipeline.metrics
import runtime.metrics
from runtime.metrics import Label, Metric

_INTRODUCTION: Final = """# Metrics

Written by `python -m devstack.metrics_page > docs/metrics.md`; a test holds the two together, and others hold them to
what the processes answer to `GET /metrics`.

The gateway serves `/metrics` on its port, or on INTERNAL_PORT where that is set; a worker on PROBE_PORT. Names follow
Prometheus' rules: base units (seconds, Unix times in `_timestamp_seconds`), `_total` on what is counted from the start
of the process. Each label has few values, the ones below; none names a user, nor what a client sent. Counters that an
alert asks with `increase()` are there from 0, so that it sees the first count; others may come with theirs.

Cost, in CPU time, as `python -m bench.metrics` prints it: 1.5 us a `POST /user_tags` and 3 us any other request, where
5 us are allowed; 3.3 us a batch and 21 us a write of four partitions in the workers, however many events these have;
2 ms a scrape.
"""

_OF_THE_LIBRARY: Final = """## From the client library

Every process: `process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_virtual_memory_bytes`,
`process_start_time_seconds`, `process_open_fds`, `process_max_fds`, `python_info`, `python_gc_objects_collected_total`,
`python_gc_objects_uncollectable_total`, `python_gc_collections_total`
(https://prometheus.github.io/client_python/collector/).
"""

SECTIONS: Final[list[tuple[str, str, Sequence[Metric]]]] = [
    ("Every process", "", runtime.metrics.LISTING.metrics),
    ("Gateway", "", gateway.metrics.LISTING.metrics),
    ("Workers", "Both kinds, unless one is named.", pipeline.metrics.LISTING.metrics),
]


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([_INTRODUCTION, *(_section(*each) for each in SECTIONS), _OF_THE_LIBRARY])


def _section(title: str, note: str, metrics: Sequence[Metric]) -> str:
    rows = ["| metric | kind | what it is |", "|---|---|---|", *(_row(metric) for metric in metrics)]
    return "\n\n".join(part for part in (f"## {title}", note, "\n".join(rows)) if part) + "\n"


def _row(metric: Metric) -> str:
    only = f"Of the {metric.only} workers alone. " if metric.only else ""
    told = [f"{only}{metric.meaning}", *_labels(metric.labels)]
    if metric.buckets:
        told.append("Buckets: " + ", ".join(f"{bound:g}" for bound in metric.buckets))
    return f"| `{metric.name}` | {metric.kind} | {'<br>'.join(told)} |"


def _labels(labels: Sequence[Label]) -> Iterator[str]:
    for label in labels:
        values = ", ".join(f"`{value}`" for value in label.values)
        yield f"`{label.name}`: {', '.join(part for part in (values, label.bound) if part)}"


if __name__ == "__main__":
    sys.stdout.write(page())
