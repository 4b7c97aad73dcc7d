"""Metrics that carry what docs/metrics.md says of them, and what every process exports of itself.

The names follow https://prometheus.io/docs/practices/naming/; tests/unit/test_metrics.py holds them to it.
"""

import itertools
import platform
from importlib import metadata
from typing import Any, Final

import msgspec
import prometheus_client
from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.registry import Collector

# A `_created` series beside each counter and histogram would make a third more of what is scraped, and nobody asks it.
prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]

_DISTRIBUTION: Final = "allezone-analytics"


class Label(msgspec.Struct, frozen=True):
    """A label and all its values; where they cannot be listed here, `bound` says what keeps them few."""

    name: str
    values: tuple[str, ...] = ()
    bound: str = ""


class Metric(msgspec.Struct, frozen=True):
    """One metric as it is documented. `only` is the one process that exports it; empty: each that lists it.

    `buckets` are a histogram's, without the last one, infinity.
    """

    name: str
    kind: str
    meaning: str
    labels: tuple[Label, ...] = ()
    only: str = ""
    buckets: tuple[float, ...] = ()


class Listing:
    """The metrics of one package. They are made through this, once per process, so `metrics` is all of them."""

    def __init__(self) -> None:
        self.metrics: list[Metric] = []
        self._waiting: list[tuple[str, Collector]] = []

    def counter(self, name: str, meaning: str, *labels: Label, only: str = "", from_zero: bool = False) -> Counter:
        """With `from_zero` each combination of its labels' values is there at once.

        A series that appears with its first count has not increased, for Prometheus: of the first dead letter or wrong
        answer nobody would be told.
        """
        made: Counter = self._made(Counter, Metric(name, "counter", meaning, labels, only))
        if from_zero:
            for combination in itertools.product(*(label.values for label in labels)):
                made.labels(*combination)
        return made

    def gauge(self, name: str, meaning: str, *labels: Label, only: str = "") -> Gauge:
        made: Gauge = self._made(Gauge, Metric(name, "gauge", meaning, labels, only))
        return made

    def histogram(self, name: str, meaning: str, *labels: Label, buckets: tuple[float, ...]) -> Histogram:
        made: Histogram = self._made(
            Histogram, Metric(name, "histogram", meaning, labels, "", buckets), buckets=buckets
        )
        return made

    def export(self, process: str) -> None:
        """This process is `process`: metrics that only it has are exported from now on."""
        for _, made in [each for each in self._waiting if each[0] == process]:
            prometheus_client.REGISTRY.register(made)
        self._waiting = [each for each in self._waiting if each[0] != process]

    def _made(self, kind: Any, metric: Metric, **options: Any) -> Any:
        names = [label.name for label in metric.labels]
        registry = None if metric.only else prometheus_client.REGISTRY
        made = kind(metric.name, metric.meaning, names, registry=registry, **options)
        self.metrics.append(metric)
        if metric.only:
            self._waiting.append((metric.only, made))
        return made


LISTING: Final = Listing()
_BUILD: Final = LISTING.gauge(
    "allezone_build_info",
    "Always 1: which release this process is, and on which Python.",
    Label("version", bound="one a process: RELEASE, or else the version of the distribution"),
    Label("python", bound="one a process"),
)


def export_build(release: str) -> None:
    """Say what runs: `release`, or where it is empty the version of the installed distribution."""
    _BUILD.clear()
    _BUILD.labels(release or _installed(), platform.python_version()).set(1)


def _installed() -> str:
    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:  # run from its source, or an image that was given no RELEASE
        return "unknown"
