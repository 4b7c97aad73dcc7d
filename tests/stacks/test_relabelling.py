"""What Prometheus itself makes of a target that DNS has found: its labels, and where it is asked."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from monitoring import expected
from tests.support import programs

_FOUND_AT: Final = "192.0.2.1"
_SECONDS: Final = 60


@pytest.fixture
def relabelled(tmp_path: Path) -> dict[str, list[dict[str, str]]]:
    """The labels of each job's targets, as promtool says them; the answers of DNS are put in its place. Skipped by name
    without it, in CI as well, which tries to install Debian's."""
    [promtool] = programs.require("promtool")
    path = tmp_path / "prometheus.yml"
    configuration = yaml.safe_load((expected.PROMETHEUS / "prometheus.yml").read_text("utf-8"))
    jobs = [_answered(job) for job in configuration["scrape_configs"]]
    path.write_text(yaml.safe_dump({"scrape_configs": jobs}), "utf-8")
    # Each waits for the end of its time whatever it has found, so all of them at once.
    command = [promtool, "check", "service-discovery", "--timeout=1s", str(path)]
    asked = {
        job["job_name"]: subprocess.Popen([*command, job["job_name"]], stdout=subprocess.PIPE, text=True)
        for job in jobs
    }
    said = {name: process.communicate(timeout=_SECONDS)[0] for name, process in asked.items()}
    return {name: [each["labels"] for each in json.loads(text)] for name, text in said.items()}


def test_every_target_has_the_labels_that_rules_count_on(relabelled: dict[str, list[dict[str, str]]]) -> None:
    given = [(labels["job"], labels["service"]) for every in relabelled.values() for labels in every]
    assert sorted(given) == sorted((target.job, target.service) for target in expected.targets())


def test_only_who_asks_in_its_place_is_asked_instead_of_a_target(relabelled: dict[str, list[dict[str, str]]]) -> None:
    for name, every in relabelled.items():
        for labels in every:
            if name == "certificate":
                assert labels["__address__"] == "blackbox-exporter:9115"
                assert labels["__param_target"] == labels["instance"] == f"{_FOUND_AT}:8443"
            elif name != "prometheus":
                assert labels["__address__"] == labels["instance"]
                assert labels["instance"].startswith(f"{_FOUND_AT}:")


def _answered(job: dict[str, Any]) -> dict[str, Any]:
    """The job with one address for each name that it looks up."""
    looked_up = [(each["port"], name) for each in job.pop("dns_sd_configs", []) for name in each["names"]]
    found = [{"targets": [f"{_FOUND_AT}:{port}"], "labels": {"__meta_dns_name": name}} for port, name in looked_up]
    return {**job, "static_configs": [*job.get("static_configs", []), *found]}
