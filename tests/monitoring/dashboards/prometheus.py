"""A Prometheus of a test's own, and its answers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from devstack import paths, ports, processes, servers, web
from tests.support import programs

RULES: Final = paths.PROJECT / "monitoring" / "prometheus" / "rules"
_EVERY: Final = "1s"
_ANSWER_SECONDS: Final = 20.0


class Target(NamedTuple):
    """One address on loopback that answers `GET path`, and the labels of what it says."""

    port: int
    job: str
    service: str
    path: str = "/metrics"


class Prometheus(servers.Server):
    """Asks `targets`, and goes by the project's rules, every second. Skips the test where there is none installed."""

    def __init__(self, folder: Path, targets: Sequence[Target]) -> None:
        super().__init__("prometheus", folder / "prometheus.log")
        (self._program,) = programs.require("prometheus")
        self.port = ports.reserve()
        self._folder = folder
        self._targets = targets

    def command(self) -> processes.Command:
        rules = self._folder / "rules"
        rules.mkdir()
        for file in RULES.glob("*.yml"):
            (rules / file.name).write_text(json.dumps(_hurried(yaml.safe_load(file.read_text("utf-8")))))
        (self._folder / "prometheus.yml").write_text(json.dumps(self._configuration()))
        argv = [
            self._program,
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address={ports.HOST}:{self.port}",
        ]
        return processes.Command(self.name, argv, self.log)

    def answers(self) -> bool:
        return web.answers(self.port, "/-/ready")

    def at(self, expression: str, moment: float) -> list[float]:
        """The values that an expression has at a moment."""
        found = self.ask("query", query=expression, time=moment)
        return [float(found["result"][1])] if found["resultType"] == "scalar" else _values(found["result"], "value")

    def over(self, expression: str, start: float, end: float, step: int) -> list[float]:
        """All values that its lines have in a range, looked at every `step` seconds."""
        return _values(self.ask("query_range", query=expression, start=start, end=end, step=step)["result"], "values")

    def ask(self, what: str, **parameters: Any) -> Any:
        """The `data` of `GET /api/v1/WHAT`. Fails the test with Prometheus' own words where it refuses."""
        address = f"http://{ports.HOST}:{self.port}/api/v1/{what}?{urlencode(parameters, doseq=True)}"
        try:
            with urlopen(address, timeout=_ANSWER_SECONDS) as answer:
                return json.load(answer)["data"]
        except HTTPError as refused:
            message = f"{refused.read().decode()}: {parameters}"
            raise AssertionError(message) from refused

    def _configuration(self) -> dict[str, Any]:
        return {
            "global": {"scrape_interval": _EVERY, "scrape_timeout": _EVERY, "evaluation_interval": _EVERY},
            "rule_files": ["rules/*.yml"],
            "scrape_configs": [_asked(number, target) for number, target in enumerate(self._targets)],
        }


def _asked(number: int, target: Target) -> dict[str, Any]:
    return {
        "job_name": str(number),
        "metrics_path": target.path,
        "static_configs": [
            {"targets": [f"{ports.HOST}:{target.port}"], "labels": {"job": target.job, "service": target.service}}
        ],
    }


def _hurried(rules: Mapping[str, Any]) -> dict[str, Any]:
    """The same rules, those that are looked at once a minute every second as well: a test does not wait for that."""
    return {"groups": [{key: group[key] for key in group if key != "interval"} for group in rules["groups"]]}


def _values(result: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    pairs = [pair for each in result for pair in ([each[key]] if key == "value" else each[key])]
    return [float(value) for _, value in pairs]
