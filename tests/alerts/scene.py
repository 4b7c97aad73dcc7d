"""All that runs during the test of the alerts: the system, traffic, monitoring; and what is done to it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import Final

import httpx
import psycopg

from devstack import paths, processes, waiting
from runtime.settings import KafkaSettings
from tests.alerts.kept_down import KeptDown
from tests.faults import actions, broken
from tests.support import monitoring, workers
from tests.support.system import System

_WORKERS: Final = ("aggregates", "profiles")
_TRAFFIC_SECONDS: Final = 60.0
_TAGS_A_SECOND: Final = 100
_TAGS: Final = _TAGS_A_SECOND * 3600  # more than any run takes
_OPTIONS: Final = ("--bodies=false", "--tolerant=true", "--watched=1000")
_NOWHERE: Final = "2020-01-01T00:00:00_2020-01-01T00:01:00"
_WRONG: Final = '{"columns": ["1m_bucket", "action", "count"], "rows": [["2020-01-01T00:00:00", "BUY", "1"]]}'


class Scene:
    """One system with monitoring beside it. Each method that does harm undoes it when its block is left."""

    def __init__(self, system: System, watched: monitoring.Monitoring) -> None:
        self.system = system
        self.monitoring = watched

    def await_traffic(self) -> None:
        """Wait until Prometheus has seen events being counted by workers of both kinds for a while."""
        counted = "rate(allezone_pipeline_records_total[30s]) > 0"
        seen = waiting.until(lambda: len(self.monitoring.query(counted)) == len(_WORKERS), _TRAFFIC_SECONDS, interval=1)
        assert seen, f"no traffic: {self.monitoring.query('up')}"

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """The process does not move: SIGSTOP."""
        pid = self.system.pid(name)
        assert pid is not None, f"{name} does not run"
        os.kill(pid, SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, SIGCONT)

    @contextmanager
    def killed(self, name: str) -> Iterator[None]:
        """The process is killed, and at each start again: as one is that cannot start."""
        with KeptDown(lambda: self.system.pid(name)):
            yield

    @contextmanager
    def wrong_answer(self) -> Iterator[None]:
        """One query whose body expects what was never sent."""
        query = {"time_range": _NOWHERE, "action": "BUY", "aggregates": "COUNT"}
        answer = httpx.post(f"{self.system.url}/aggregates", params=query, content=_WRONG, timeout=30)
        assert answer.status_code == httpx.codes.OK, answer.text
        yield

    @contextmanager
    def broken_records(self) -> Iterator[None]:
        """Ten records that cannot be counted."""
        records = broken.records("alerts", 0, actions.dice(0, "alerts"))
        hosts = self.system.connections()["KAFKA_HOSTS"]
        workers.send(KafkaSettings(environment="local", kafka_hosts=hosts), [each.value for each in records])
        yield

    @contextmanager
    def no_sums_stored(self) -> Iterator[None]:
        """Somebody holds a lock on the table of sums: it can be read, and nothing be written."""
        with psycopg.connect(self.system.database().conninfo("alerts")) as conn:
            conn.execute("SET idle_in_transaction_session_timeout = 0")
            conn.execute("LOCK TABLE aggregate_deltas IN SHARE MODE")
            yield
            conn.rollback()


@contextmanager
def traffic(system: System, folder: Path) -> Iterator[processes.Process]:
    """The test stream, slow and on and on, without expected answers: under faults they come too early."""
    argv = [sys.executable, "-m", "simulator", f"--target={system.url}", f"--rate={_TAGS_A_SECOND}", f"--tags={_TAGS}"]
    log = folder / "simulator.log"
    process = processes.Process(
        processes.Command(
            "simulator", [*argv, *_OPTIONS], log, cwd=paths.PROJECT, env=system.environment, orphaned=SIGKILL
        )
    )
    try:
        yield process
    finally:
        process.kill()
