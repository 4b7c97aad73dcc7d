"""What Prometheus asks on one machine, under the names that monitoring/prometheus/prometheus.yml gives it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import msgspec

from devstack import layout, ports
from devstack.settings import DevstackSettings

# Job and service of each kind of process in devstack/layout.py.
_APPLICATIONS = {
    "gateway": ("gateway", "gateway"),
    "pipeline-aggregates": ("workers", "aggregates"),
    "pipeline-profiles": ("workers", "profiles"),
}
EXPECTED = "allezone:targets_expected"


@dataclass(frozen=True)
class Target:
    """A port that answers `GET /metrics`, and the labels of its series."""

    job: str
    service: str
    port: int


def of_system(settings: DevstackSettings) -> list[Target]:
    """Gateways and workers of a `make run` with these settings, and the broker if it tells its own figures."""
    brokers = [Target("kafka-jmx", "kafka1", settings.kafka_jmx_port)] * (settings.kafka_jmx_port > 0)
    applications = layout.applications(settings)
    return [Target(*_APPLICATIONS[place.name.rpartition("-")[0]], place.port) for place in applications] + brokers


def discovered(targets: Iterable[Target]) -> bytes:
    """The targets as a file that Prometheus' file_sd_configs reads."""
    found = [
        {"targets": [f"{ports.HOST}:{each.port}"], "labels": {"job": each.job, "service": each.service}}
        for each in targets
    ]
    return msgspec.json.encode(found)


def expected(targets: Iterable[Target]) -> bytes:
    """The recording rules that say how many targets each job and service has, as a file for Prometheus.

    JSON, which is YAML: a target that vanishes is missed only by who knows that it should be there.
    """
    return msgspec.json.encode({"groups": [{"name": "expected", "rules": list(_expectations(targets))}]})


def _expectations(targets: Iterable[Target]) -> Iterator[dict[str, object]]:
    counts = Counter((each.job, each.service) for each in targets)
    for (job, service), count in sorted(counts.items()):
        yield {"record": EXPECTED, "expr": f"vector({count})", "labels": {"job": job, "service": service}}
