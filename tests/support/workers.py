"""Aggregates workers as processes of a test's own."""

import dataclasses
import http.client
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from confluent_kafka import Producer

from bench import workers
from devstack import applications, ports, processes, waiting
from runtime.settings import DatabaseSettings, KafkaSettings

SECONDS = 60.0


class Worker:
    """A worker on one topic and one database. `settings` are its environment."""

    def __init__(self, topic: KafkaSettings, database: DatabaseSettings, folder: Path, **settings: Any) -> None:
        quick = {"session_timeout_s": 6, "flush_interval_s": 0.05, **settings}
        self.application: applications.Application = workers.worker("worker", folder, topic, database, **quick)
        self.database = database

    def counted(self) -> int:
        """Events in the deltas; the minute totals must agree."""
        with psycopg.connect(self.database.conninfo()) as conn:
            # One snapshot for plan and rows: the partition of an hour that is made in between would be left out.
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            row = conn.execute(
                "SELECT coalesce((SELECT sum(count) FROM aggregate_deltas), 0),"
                " coalesce((SELECT sum(count) FROM minute_totals), 0)"
            ).fetchone()
        assert row is not None
        assert row[0] == row[1]
        return int(row[0])

    def wait_counted(self, count: int) -> None:
        waiting.until(lambda: self.counted() >= count or not self.application.running, SECONDS)
        assert self.counted() == count, self.log

    def wait_ended(self) -> int:
        """Its exit status."""
        waiting.until(lambda: not self.application.running, SECONDS)
        status = self.application.returncode
        assert status is not None, f"still runs:\n{self.log}"
        return status

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a probe."""
        connection = http.client.HTTPConnection(ports.HOST, self.application.port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metric(self, line: str) -> float:
        """The value of the sample that is written as `line`."""
        value = workers.metric(self.application, line)
        assert value is not None, f"no sample {line}"
        return value

    @property
    def log(self) -> str:
        return self.application.log.read_text()


@contextmanager
def running(topic: KafkaSettings, database: DatabaseSettings, folder: Path, **settings: Any) -> Iterator[Worker]:
    """A worker that has its partitions; killed afterwards if it still runs."""
    worker = Worker(topic, database, folder, **settings)
    try:
        worker.application.start()
        worker.application.wait_ready(SECONDS)
        yield worker
    finally:
        worker.application.kill()


@contextmanager
def started(topic: KafkaSettings, database: DatabaseSettings, folder: Path, **settings: Any) -> Iterator[Worker]:
    """The same, which may end at once and never be ready."""
    worker = Worker(topic, database, folder, **settings)
    try:
        worker.application.start()
        yield worker
    finally:
        worker.application.kill()


@contextmanager
def planted(
    defect: str, topic: KafkaSettings, database: DatabaseSettings, folder: Path, **settings: Any
) -> Iterator[Worker]:
    """A worker whose process runs the code `defect` first."""
    worker = Worker(topic, database, folder, **settings)
    code = f"{defect}\nfrom pipeline.__main__ import main\nmain()"
    command = dataclasses.replace(worker.application.command(), argv=[sys.executable, "-c", code, "aggregates"])
    process = processes.Process(command)
    worker.application._process = process  # noqa: SLF001 - the same process in all but its first lines
    try:
        yield worker
    finally:
        process.kill()


def send(
    topic: KafkaSettings, values: list[bytes | None], partition: int = 0, *, transaction: str | None = None
) -> None:
    """Records in this order; inside a transaction of that id if one is given."""
    settings: dict[str, Any] = {"bootstrap.servers": topic.kafka_hosts, "acks": "all"}
    producer = Producer(settings if transaction is None else {**settings, "transactional.id": transaction})
    if transaction is not None:
        producer.init_transactions(30)
        producer.begin_transaction()
    for value in values:
        producer.produce(topic.kafka_topic, value, b"key", partition)
    if transaction is not None:
        producer.commit_transaction(30)
    assert producer.flush(30) == 0
