"""`make run-monitoring` beside `make run`: it sees all of it, its rules work, and neither minds that the other ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devstack import pids, ports, waiting
from devstack.monitoring import stack
from tests.support import monitoring, programs
from tests.support import system as systems
from tests.support.monitoring import Monitoring
from tests.support.system import System

SEEN_SECONDS = 60.0
EVALUATED_SECONDS = 150.0  # rules that look back for days are evaluated once a minute, first somewhere in the first one
ASKED = {
    ("gateway", "gateway"): 2.0,
    ("workers", "aggregates"): 1.0,
    ("workers", "profiles"): 1.0,
    ("kafka-jmx", "kafka1"): 1.0,
}


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """Two gateways, and a broker that tells its own figures; each of this file's tests leaves them running."""
    programs.require("prometheus")
    with systems.running(GATEWAYS="2", KAFKA_JMX_PORT=str(ports.reserve())) as system:
        yield system


@pytest.fixture(scope="module")
def watched(system: System) -> Iterator[Monitoring]:
    """Monitoring of it, which each test leaves running."""
    with monitoring.beside(system) as watched:
        yield watched


def test_all_that_runs_answers_and_is_expected(watched: Monitoring) -> None:
    assert waiting.until(lambda: answering(watched).items() >= ASKED.items(), SEEN_SECONDS), watched.query("up")
    assert waiting.until(lambda: expected(watched) == answering(watched), SEEN_SECONDS), expected(watched)


def test_it_ends_cleanly_and_leaves_the_system_alone(system: System, watched: Monitoring) -> None:
    running = [system.pid(name) for name in system.names]

    assert watched.stop() == 0

    assert not set(pids.written(system.state.pids)) & set(stack.NAMES)
    assert ports.is_free(watched.port)
    assert [system.pid(name) for name in system.names] == running
    watched.start()


def test_a_system_that_is_started_again_leaves_it_alone_and_is_seen_again(system: System, watched: Monitoring) -> None:
    prometheus = system.pid("prometheus")

    system.stop()
    assert waiting.until(lambda: not ASKED.keys() & answering(watched).keys(), SEEN_SECONDS), watched.query("up")
    system.start()
    system.wait_ready()

    assert waiting.until(lambda: answering(watched).items() >= ASKED.items(), SEEN_SECONDS), watched.query("up")
    assert system.pid("prometheus") == prometheus


def test_every_rule_can_be_evaluated(watched: Monitoring) -> None:
    """The last one: the others pass the time that it would wait."""
    evaluated = waiting.until(lambda: all(rule["health"] == "ok" for rule in watched.rules()), EVALUATED_SECONDS)

    assert evaluated, [rule for rule in watched.rules() if rule["health"] != "ok"]
    assert {"ServiceGone", "allezone:targets_expected"} <= {rule["name"] for rule in watched.rules()}


def answering(watched: Monitoring) -> dict[tuple[str, str], float]:
    """Targets that answer, by job and service."""
    return by_service(watched.query("count by (job, service) (up == 1)"))


def expected(watched: Monitoring) -> dict[tuple[str, str], float]:
    return by_service(watched.query("allezone:targets_expected"))


def by_service(samples: list[tuple[dict[str, str], float]]) -> dict[tuple[str, str], float]:
    return {(labels["job"], labels["service"]): value for labels, value in samples}
