"""What the workers log: of one record by the id of its request, as documented from start to end, of nobody's event."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from confluent_kafka import Producer

from bench import workers as processes
from devstack import applications, waiting
from devstack.kafka import KafkaServer
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.support import gateways, log_lines, services, topics, workers
from tests.support.fakes.log import MINUTE, value
from tests.support.tags import body

MARK: Final = "marked-7f3a"
TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT: Final = f"00-{TRACE}-00f067aa0ba902b7-01"
SECONDS: Final = 60.0


@pytest.fixture
def own_kafka() -> Iterator[KafkaServer]:
    """A broker that the test may kill."""
    with services.required(), services.running_kafka() as server:
        yield server


def _send(topic: KafkaSettings, values: list[bytes | None], traceparent: str = TRACEPARENT) -> None:
    """Records as the gateway makes them, or as a foreign producer might."""
    producer = Producer({"bootstrap.servers": topic.kafka_hosts, "acks": "all"})
    for each in values:
        producer.produce(topic.kafka_topic, each, MARK.encode(), 0, headers=[("traceparent", traceparent.encode())])
    assert producer.flush(30) == 0


def _lose_hour(database: DatabaseSettings) -> None:
    """The hour of tests' tags was dropped by retention."""
    with psycopg.connect(database.conninfo()) as conn:
        conn.execute(
            "INSERT INTO aggregate_hours (hour, dropped_at) VALUES (date_trunc('hour', to_timestamp(%s)), now())",
            [MINUTE * 60],
        )


def _cut_off(database: DatabaseSettings) -> None:
    """Every connection of this database ends."""
    with psycopg.connect(database.conninfo()) as conn:
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def _details(database: DatabaseSettings) -> list[tuple[str, str]]:
    with psycopg.connect(database.conninfo()) as conn:
        return conn.execute(
            'SELECT consumer_group, detail FROM dead_letters ORDER BY consumer_group, "offset"'
        ).fetchall()


def _lines(worker: applications.Application, service: str) -> list[dict[str, Any]]:
    return log_lines.of(service, worker.log.read_text())


def _told(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["event"] == "dead letter"]


def test_an_event_is_followed_from_its_request_to_its_dead_letter(
    kafka: KafkaServer, database: DatabaseSettings, topic: str, tmp_path: Path
) -> None:
    made = topics.make(kafka, topic, partitions=1)
    _lose_hour(database)
    with gateways.running(made, database) as gateway, workers.running(made, database, tmp_path) as worker:
        assert gateway.ask("POST", "/user_tags", body(cookie=MARK), traceparent=TRACEPARENT).status == 204

        assert waiting.until(lambda: bool(_told(_lines(worker.application, "aggregates"))), SECONDS), worker.log

        [line] = _told(_lines(worker.application, "aggregates"))
        assert (line["trace_id"], line["level"], line["partition"], line["offset"]) == (TRACE, "warning", 0, 0)
        [(_, detail)] = _details(database)
        assert TRACE in detail
        assert MARK not in worker.log


@pytest.mark.parametrize("service", ["aggregates", "profiles"])
def test_every_line_from_start_to_end_is_as_documented_and_says_nothing_of_anybody(
    service: str, own_kafka: KafkaServer, database: DatabaseSettings, topic: str, tmp_path: Path
) -> None:
    """Broken records, a database that ends its connections, a broker killed and started, SIGTERM."""
    made = topics.make(own_kafka, topic, partitions=1)
    more = {"log_level": "debug", "session_timeout_s": 6}
    worker = processes.worker("worker", tmp_path, made, database, ("pipeline", service), **more)
    marked = {name: f"{MARK}-{name}" for name in ("cookie", "origin", "brand_id", "category_id", "product_id")}
    bad = [MARK.encode(), None, value(0, 1, **{**marked, "cookie": f"{MARK}\0"}, time=2**63 - 1)]
    try:
        worker.start()
        worker.wait_ready(SECONDS)
        _send(made, [value(0, 0, **marked), *bad])
        assert waiting.until(lambda: len(_told(_lines(worker, service))) == len(bad), SECONDS), worker.log.read_text()
        _send(made, [MARK.encode()], traceparent=f"00-{MARK}-01")
        assert waiting.until(lambda: len(_details(database)) == len(bad) + 1, SECONDS)
        _cut_off(database)
        own_kafka.kill()
        assert waiting.until(lambda: _complains(_lines(worker, service)), SECONDS), worker.log.read_text()
        own_kafka.start()
        own_kafka.wait_ready()
        _send(made, [MARK.encode()])
        assert waiting.until(lambda: len(_details(database)) == len(bad) + 2, SECONDS), worker.log.read_text()
        assert worker.running
        worker.stop()
    finally:
        worker.kill()

    assert worker.log.read_text().endswith("\n")
    lines = _lines(worker, service)
    assert [line["trace_id"] for line in _told(lines)] == [TRACE] * len(bad) + [None, TRACE]
    assert {line["logger"].partition(".")[0] for line in lines} >= {"pipeline", "aiokafka", "faust", "mode"}
    assert [line for line in lines if MARK in str(line)] == []


def _complains(lines: list[dict[str, Any]]) -> bool:
    """Whether the library noticed that the broker is away."""
    return any(line["logger"].startswith("aiokafka") and line["level"] in ("warning", "error") for line in lines)


def test_a_worker_that_ends_by_a_defect_says_so_in_one_line_without_the_event(
    kafka: KafkaServer, database: DatabaseSettings, topic: str, tmp_path: Path
) -> None:
    made = topics.make(kafka, topic, partitions=1)
    defect = (
        "from pipeline import folding\n"
        "def add(self, batch):\n"
        "    raise KeyError(batch.records[0].value)\n"
        "folding.Fold.add = add\n"
    )
    workers.send(made, [value(0, 0, cookie=MARK)])
    with workers.planted(defect, made, database, tmp_path) as worker:
        assert worker.wait_ended() != 0
        lines = _lines(worker.application, "aggregates")

    assert any("KeyError" in line.get("exception", "") for line in lines)
    assert [line for line in lines if MARK in str(line)] == []
