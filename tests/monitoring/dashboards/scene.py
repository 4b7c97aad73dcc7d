"""A system of a test's own that dashboards can show: roles of production, real traffic, and a Prometheus that sees it.

A gateway in debug mode and a worker of each kind on a real Kafka and PostgreSQL, the test stream with its right answers
sent through them, and the recorded scrapes of the servers that cannot run here.
"""

import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import psycopg

from bench import workers
from devstack import applications, paths, waiting
from devstack.kafka import KafkaServer
from runtime.settings import DatabaseSettings, KafkaSettings
from stores import migrate, roles
from tests.monitoring.dashboards import expansion, recordings, replay
from tests.monitoring.dashboards.prometheus import Prometheus, Target
from tests.support import gateways, topics
from tests.support import roles as production_roles
from tests.support import workers as sending
from tests.support.gateways import Gateway
from tests.support.roles import Production

_TRAFFIC: Final = (
    "--tags 600 --rate 150 --cookies 40 --connections 16 --final-profiles 20 --final-aggregates 60 --tolerant yes"
)
_KINDS: Final = ("aggregates", "profiles")
_QUICK: Final[dict[str, Any]] = {"session_timeout_s": 6, "flush_interval_s": 0.05, "housekeeping_interval_s": 1}
_SECONDS: Final = 60.0
# What datasources.yaml says of the stack's Prometheus, in seconds.
_SCRAPE: Final = 15


class Scene(NamedTuple):
    """All that a dashboard's questions go to."""

    prometheus: Prometheus
    production: Production
    gateway: Gateway
    topic: KafkaSettings

    def shown(self) -> expansion.Shown:
        """The last hour."""
        now = int(time.time())
        return expansion.Shown(now - 3_600, now, _SCRAPE)

    def ask_database(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows that the analyst gets, as Grafana asks: in the role's own, read-only, way."""
        login = self.production.login("allezone_analyst").conninfo("grafana")
        with psycopg.connect(login, target_session_attrs="any", autocommit=True) as conn:
            return conn.execute(statement.encode()).fetchall()

    def break_exactness(self) -> None:
        """A record that nobody can read, and a query that expects a wrong answer; returns once Prometheus has both."""
        sending.send(self.topic, [b"no avro"])
        query = {"time_range": "2022-03-01T00:05:00_2022-03-01T00:06:00", "action": "BUY", "aggregates": "COUNT"}
        wrong = {"columns": ["1m_bucket", "action", "count"], "rows": [["2022-03-01T00:05:00", "BUY", "1"]]}
        assert self.gateway.aggregates(query, json.dumps(wrong).encode()).status == 200
        self.see("sum(allezone_pipeline_dead_letters_total) == 2")
        self.see('sum(allezone_gateway_debug_answers_total{result="mismatch"}) == 1')

    def see(self, condition: str) -> None:
        """Wait until Prometheus says that an expression holds."""
        found = waiting.until(lambda: bool(self.prometheus.at(condition, time.time())), _SECONDS, interval=0.2)
        assert found, condition


@contextmanager
def playing(kafka: KafkaServer, folder: Path) -> Iterator[Scene]:
    """One that has had its traffic, all of which Prometheus knows of."""
    with ExitStack() as stack:
        production = stack.enter_context(production_roles.production())
        roles.apply(production.settings())
        migrate.apply(production.login(roles.OWNER).conninfo())
        topic = topics.make(kafka, f"dashboards-{uuid.uuid4().hex[:8]}")
        crew = [_worker(kind, folder, topic, production.login("allezone_pipeline")) for kind in _KINDS]
        for worker in crew:
            worker.start()
            stack.callback(worker.kill)
        gateway = stack.enter_context(
            gateways.running(topic, production.login("allezone_gateway"), debug_queries="true")
        )
        for worker in crew:
            worker.wait_ready(_SECONDS)
        replayed = stack.enter_context(replay.serving(recordings.FOLDER))
        prometheus = Prometheus(folder, list(_targets(gateway, crew, replayed)))
        stack.callback(prometheus.kill)
        prometheus.start()
        prometheus.wait_ready()
        scene = Scene(prometheus, production, gateway, topic)
        scene.see(f"count(up == 1) == {3 + len(recordings.all_of_them())}")
        _send_traffic(gateway)
        sent = gateway.metric('allezone_gateway_requests_total{endpoint="/user_tags",status="204"}')
        scene.see(f"min(sum by (service) (allezone_pipeline_records_total)) == {sent}")
        # Rules come a moment after what they are about, and a look back in steps a step after them.
        scene.see(f"count(min_over_time(service:allezone_pipeline_waiting:seconds[1h:])) == {len(_KINDS)}")
        yield scene


def _worker(kind: str, folder: Path, topic: KafkaSettings, database: DatabaseSettings) -> applications.Application:
    return workers.worker(kind, folder, topic, database, ("pipeline", kind), **_QUICK)


def _targets(gateway: Gateway, crew: list[applications.Application], replayed: int) -> Iterator[Target]:
    yield Target(gateway.port, "gateway", "gateway")
    for worker in crew:
        yield Target(worker.port, "workers", worker.name)
    for recording in recordings.all_of_them():
        yield Target(replayed, recording.job, recording.service, f"/{recording.name}")


def _send_traffic(gateway: Gateway) -> None:
    """The test stream, at times of just now: what happened is in the range that is shown."""
    start = (datetime.now(UTC) - timedelta(minutes=3)).isoformat(timespec="milliseconds")
    argv = [sys.executable, "-m", "simulator", "--target", gateway.url, "--start", start, *_TRAFFIC.split()]
    done = subprocess.run(argv, cwd=paths.PROJECT, capture_output=True, text=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
