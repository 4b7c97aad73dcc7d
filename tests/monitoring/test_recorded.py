"""The recorded answers are of jobs that Prometheus asks, parse, and say nothing of the machine they were taken on."""

import re
from pathlib import Path
from typing import Final

import pytest
from prometheus_client import parser

from monitoring import expected
from tests.stacks import rendering

FOLDER: Final = Path(__file__).with_name("recorded")
FILES: Final = sorted(FOLDER.glob("*.prom"))
# Served by processes that tests start, or that have nothing to say of the system.
_NOT_RECORDED: Final = {"gateway", "workers", "prometheus", "grafana", "alertmanager"}
_OF_A_MACHINE: Final = re.compile(r"127\.0\.0\.1|/(?:home|root|tmp|work)\b|nodename=\"(?!vm\d)")

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@each_file
def test_it_is_what_prometheus_reads(path: Path) -> None:
    families = list(parser.text_string_to_metric_families(path.read_text("utf-8")))
    assert sum(len(family.samples) for family in families) > 10


@each_file
def test_it_says_nothing_of_the_machine(path: Path) -> None:
    assert _OF_A_MACHINE.findall(path.read_text("utf-8")) == []


def test_every_file_is_of_a_job_and_service_that_are_asked() -> None:
    described = _described()
    assert described.keys() == {path.name for path in FILES}
    assert set(described.values()) <= {(target.job, target.service) for target in expected.targets()}


def test_every_exporter_is_recorded() -> None:
    asked = {target.job for target in expected.targets()}
    assert {job for job, _ in _described().values()} == asked - _NOT_RECORDED


def test_the_versions_are_those_of_the_stacks() -> None:
    text = (FOLDER / "README.md").read_text("utf-8")
    images = rendering.images()
    for name, image in (
        ("kafka_exporter", "KAFKA_EXPORTER_IMAGE"),
        ("postgres_exporter", "POSTGRES_EXPORTER_IMAGE"),
        ("aerospike-prometheus-exporter", "AEROSPIKE_EXPORTER_IMAGE"),
        ("blackbox exporter", "BLACKBOX_EXPORTER_IMAGE"),
        ("node_exporter", "NODE_EXPORTER_IMAGE"),
        ("Kafka", "KAFKA_IMAGE"),
    ):
        version = images[image].partition("@")[0].rpartition(":")[2].removeprefix("v")
        assert f"{name} {version}" in text, name


def _described() -> dict[str, tuple[str, str]]:
    """Job and service of each file, as the README has them."""
    rows = re.findall(r"^\| `([\w.-]+\.prom)` \| `([\w-]+)`, `([\w-]+)` \|", (FOLDER / "README.md").read_text(), re.M)
    return {name: (job, service) for name, job, service in rows}
