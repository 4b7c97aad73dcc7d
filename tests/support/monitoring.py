"""`make run-monitoring` beside a system of a test's own: Prometheus with the project's rules, on free ports."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen

from devstack import paths, ports, processes, waiting
from tests.support.system import System

READY_SECONDS = 60.0
_ANSWER_SECONDS = 10.0
_PORTS = ("prometheus_port", "grafana_port", "node_exporter_port", "postgres_exporter_port", "kafka_exporter_port")


class Alert(NamedTuple):
    """An alert's name, and labels that it has among others."""

    name: str
    labels: Mapping[str, str] = {}

    def __str__(self) -> str:
        named = ", ".join(f'{name}="{value}"' for name, value in self.labels.items())
        return f"{self.name}{{{named}}}" if named else self.name

    def is_of(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is one."""
        return {"alertname": self.name, **self.labels}.items() <= labels.items()


class Monitoring:
    """The runner of monitoring (`python -m devstack run-monitoring`), and what its Prometheus says."""

    def __init__(self, system: System) -> None:
        self._system = system
        chosen = {name: ports.reserve() for name in _PORTS}
        self.port = chosen["prometheus_port"]
        self.url = f"http://{ports.HOST}:{self.port}"
        self.log = system.log.with_name("monitoring.log")
        told = {name.upper(): str(port) for name, port in chosen.items()}
        argv = [sys.executable, "-m", "devstack", "run-monitoring"]
        self._command = processes.Command(
            "monitoring", argv, self.log, cwd=paths.PROJECT, env={**system.environment, **told}
        )
        self._runner: processes.Process | None = None

    def start(self) -> None:
        """Start it and wait until it has said that it is ready."""
        self.log.unlink(missing_ok=True)
        runner = self._runner = processes.Process(self._command)
        said = waiting.until(lambda: "ready after" in self.said() or not runner.running, READY_SECONDS)
        assert said and runner.running, f"monitoring is not ready:\n{self.said()}"  # noqa: PT018 - one reason, one text

    def stop(self) -> int | None:
        """Ask it to end and wait until it has; its exit status."""
        if self._runner is None:
            return None
        self._runner.stop(READY_SECONDS)
        return self._runner.returncode

    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def firing(self) -> list[dict[str, str]]:
        """The labels of each alert that fires now."""
        return [each["labels"] for each in self._ask("alerts")["alerts"] if each["state"] == "firing"]

    def fired_last(self, alert: Alert) -> float:
        """The moment of its last evaluation, within half an hour, at which the alert fired, as Unix time; 0 if none."""
        wanted = {"alertname": alert.name, **alert.labels, "alertstate": "firing"}
        matchers = ", ".join(f'{name}="{value}"' for name, value in wanted.items())
        found = self.query(f"max(max_over_time(timestamp(ALERTS{{{matchers}}})[30m:1s]))")
        return max((value for _, value in found), default=0.0)

    def rules(self) -> list[dict[str, Any]]:
        """Every rule, with its name and health."""
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """The labels and value of each sample that `expression` finds now."""
        found = self._ask(f"query?{urlencode({'query': expression})}")["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]

    def _ask(self, what: str) -> Any:
        with urlopen(f"{self.url}/api/v1/{what}", timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - our own server
            return json.load(answer)["data"]


@contextmanager
def beside(system: System) -> Iterator[Monitoring]:
    """Monitoring of `system`, ready; ended afterwards."""
    monitoring = Monitoring(system)
    try:
        monitoring.start()
        yield monitoring
    finally:
        monitoring.stop()
