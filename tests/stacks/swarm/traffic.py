"""The simulator beside a fault: debug mode, a low rate, through the edge with a token."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import parser

from tests.stacks.swarm import commands, deployment, inside, relay, waiting
from tests.stacks.swarm.cluster import Cluster, Container

RATE = 20  # events a second: two cores carry the whole cluster
_END_SECONDS = 150.0
_INTERNAL_PORT = 8089
_REQUESTS = "allezone_gateway_requests_total"
_ACCEPTED = {"endpoint": "/user_tags", "status": "204"}
_FINAL = 3  # endpoints of a report before those asked when all has settled


class Wrong(Exception):
    """The simulator found something wrong; the message is what it says."""


@dataclass(frozen=True)
class Figures:
    """Of one run of the simulator: numbers of events and answers, latency of `POST /user_tags` in milliseconds.

    `wrong` are answers when all has settled, `stale` those on the way that did not know an event in time yet.
    """

    sent: int
    acknowledged: int
    refused: int
    unknown: int
    judged: int
    stale: int
    wrong: int
    p99_ms: float
    seconds: float


class Run:
    """One that has been started."""

    def __init__(self, process: subprocess.Popen[str], report: Path, *, tolerant: bool) -> None:
        self._process, self._report, self._tolerant = process, report, tolerant

    @property
    def sending(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def wait(self, seconds: float) -> Figures:
        """Its figures when it has ended. Raises Wrong, and commands.Failed where it does not end."""
        try:
            said, _ = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as late:
            message = f"the simulator did not end within {seconds:.0f} s"
            raise commands.Failed(message) from late
        if not self._report.exists() or (self._process.returncode and not self._tolerant):
            raise Wrong(said)
        report = json.loads(self._report.read_bytes())
        if is_wrong(report):
            raise Wrong(said)
        return _figures(report)

    def end(self) -> None:
        """Now."""
        if self.sending:
            self._process.kill()
            self._process.communicate()


class Traffic:
    """Starts runs, one at a time: two at once would be given the same minutes."""

    def __init__(self, cluster: Cluster, deployed: deployment.Deployment, folder: Path) -> None:
        self._cluster, self._deployed, self._folder = cluster, deployed, folder

    @contextlib.contextmanager
    def running(self, seconds: float, *, tolerant: bool) -> Iterator[Run]:
        """Traffic of `seconds`. `tolerant`: what is refused, unknown or stale is counted; without it that is wrong."""
        report = self._folder / f"traffic-{time.time_ns()}.json"
        before = self._accepted()
        with relay.Relay(self._gateway) as probes:
            command = [sys.executable, "-m", "simulator", "--json", report, *_options(seconds, tolerant=tolerant)]
            command += ["--target", f"https://{deployment.edge()}", "--ca-file", self._deployed.certificate]
            process = subprocess.Popen(
                [str(part) for part in [*command, "--inside", probes.url]],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env={**os.environ, "SIMULATE_TOKEN": self._deployed.token},
            )
            run = Run(process, report, tolerant=tolerant)
            try:
                waiting.until("events are sent", lambda: self._accepted() > before or not run.sending, 60)
                yield run
            finally:
                run.end()

    def for_(self, seconds: float, *, tolerant: bool) -> Figures:
        """Traffic alone. Raises Wrong."""
        with self.running(seconds, tolerant=tolerant) as run:
            return run.wait(seconds + _END_SECONDS)

    def _gateway(self) -> socket.socket:
        """A connection to the internal port of a gateway that is healthy, one and the same while it is."""
        for container in self._gateways():
            return inside.connection(container.pid, _INTERNAL_PORT)
        message = "no gateway is healthy"
        raise OSError(message)

    def _accepted(self) -> float:
        """Events that the gateways have accepted, which are healthy now. Raises OSError."""
        return sum(accepted(inside.get(each.pid, _INTERNAL_PORT, "/metrics")) for each in self._gateways())

    def _gateways(self) -> list[Container]:
        found = self._cluster.containers(f"{deployment.STATELESS}_gateway")
        return sorted((each for each in found if each.health == "healthy"), key=lambda each: each.id)


def accepted(metrics: str) -> float:
    """Of a gateway's metrics, as it serves them."""
    families = parser.text_string_to_metric_families(metrics)
    samples = [sample for family in families for sample in family.samples if sample.name == _REQUESTS]
    return sum(sample.value for sample in samples if sample.labels.items() >= _ACCEPTED.items())


def _options(seconds: float, *, tolerant: bool) -> list[str]:
    chosen = {
        "rate": RATE,
        "tags": int(RATE * seconds),
        "cookies": 2_000,
        "final-profiles": 500,
        "final-aggregates": 100,
    }
    options = [word for name, value in chosen.items() for word in (f"--{name}", str(value))]
    return [*options, "--tolerant", "true"] if tolerant else options


def is_wrong(report: dict[str, Any]) -> bool:
    """Whether anything is wrong, or cannot be had, when all that was sent has been answered."""
    visible = report["profiles_visible_seconds"], report["aggregates_visible_seconds"]
    kinds = "wrong", "refused", "unknown", "dropped"
    return None in visible or any(each[kind] for each in report["endpoints"][_FINAL:] for kind in kinds)


def _figures(report: dict[str, Any]) -> Figures:
    tags, *queries = report["endpoints"]
    return Figures(
        sent=sum(tags[kind] for kind in ("accepted", "refused", "unknown")),
        acknowledged=tags["accepted"],
        refused=tags["refused"],
        unknown=tags["unknown"],
        judged=sum(each["accepted"] - each["unjudged"] for each in queries),
        stale=sum(each["wrong"] for each in report["endpoints"][:_FINAL]),
        wrong=sum(each["wrong"] for each in report["endpoints"][_FINAL:]),
        p99_ms=round(tags["latency_ms"].get("p99", 0.0), 1),
        seconds=round(report["seconds"], 1),
    )
