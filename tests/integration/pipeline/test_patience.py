"""Workers that the watchdog must leave alone: nothing moves, and nothing is wrong with them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broker import topics as broker_topics
from devstack import waiting
from devstack.kafka import KafkaServer
from devstack.postgres import PostgresServer
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.support import databases, services, topics, workers
from tests.support.fakes.log import value

STALLED_AFTER_S = 2.0
SEVERAL_TIMES_S = 3 * STALLED_AFTER_S


@pytest.fixture
def log(kafka: KafkaServer, topic: str) -> KafkaSettings:
    """A topic of one partition."""
    return topics.make(kafka, topic, partitions=1)


@pytest.fixture
def frail_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL of the test's own, to be stopped."""
    with services.required(), services.running_postgres() as server:
        yield server


def events(count: int, first: int = 0) -> list[bytes | None]:
    return [value(0, offset) for offset in range(first, first + count)]


def quick_watchdog(log: KafkaSettings) -> dict[str, Any]:
    """Settings of a worker in a group of its own: dead members of another test's rebalance nothing."""
    return {"stalled_after_s": STALLED_AFTER_S, "aggregates_group": log.kafka_topic}


def lives(*found: workers.Worker) -> bool:
    """All of them, for several times as long as the watchdog gives a worker that stands still."""
    return not waiting.until(lambda: not all(each.application.running for each in found), SEVERAL_TIMES_S)


def test_while_postgresql_is_away_the_worker_goes_on_trying_and_the_one_that_stands_by_stands_by(
    log: KafkaSettings, frail_postgres: PostgresServer, tmp_path: Path
) -> None:
    quick = {**quick_watchdog(log), "retry_last_s": 0.5}
    with (
        databases.fresh(frail_postgres) as database,
        workers.running(log, database, tmp_path / "first", **quick) as first,
        workers.running(log, database, tmp_path / "second", **quick) as second,
    ):
        workers.send(log, events(10))
        first.wait_counted(10)
        frail_postgres.stop()
        workers.send(log, events(10, 10))
        assert lives(first, second), first.log + second.log
        [asking] = [each for each in (first, second) if each.metric("allezone_pipeline_retrying")]
        assert json.loads(asking.get("/readyz")[1])["dependencies"]["postgresql"]["state"] == "down"
        assert {each.get("/healthz")[0] for each in (first, second)} == {200}
        frail_postgres.start()
        frail_postgres.wait_ready()
        asking.wait_counted(20)
        assert waiting.until(lambda: asking.get("/readyz")[0] == 200, 20)
        assert first.application.running
        assert second.application.running


def test_workers_that_start_while_postgresql_is_away_wait_for_it(
    log: KafkaSettings, frail_postgres: PostgresServer, tmp_path: Path
) -> None:
    """Neither was ever placed, the one with the partition as little as the one that is to stand by."""
    quick = {**quick_watchdog(log), "retry_last_s": 0.5}
    workers.send(log, events(10))
    with databases.fresh(frail_postgres) as database:
        frail_postgres.stop()
        with (
            workers.started(log, database, tmp_path / "first", **quick) as first,
            workers.started(log, database, tmp_path / "second", **quick) as second,
        ):
            assert lives(first, second), first.log + second.log
            frail_postgres.start()
            frail_postgres.wait_ready()
            first.wait_counted(10)
            assert waiting.until(lambda: {each.get("/readyz")[0] for each in (first, second)} == {200}, 20)


def test_a_marker_at_the_end_of_the_log_is_not_waited_for(
    log: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    with workers.running(log, database, tmp_path, **quick_watchdog(log)) as worker:
        workers.send(log, events(5), transaction=log.kafka_topic)
        worker.wait_counted(5)
        assert waiting.until(lambda: broker_topics.offsets(log.kafka_hosts, log.kafka_topic)[0] == (0, 6), 20)
        assert lives(worker), worker.log


def test_healthz_is_bad_where_the_loop_stands_before_the_watchdog_has_a_reason_to_end_it(
    log: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    """No record waits, so nothing is lost yet: it is for whoever asks /healthz to restart it."""
    defect = "from tests.support import stalls\nstalls.fetch_never_returns(0)"
    with workers.planted(defect, log, database, tmp_path, **quick_watchdog(log)) as worker:
        worker.application.wait_ready(workers.SECONDS)
        assert waiting.until(lambda: worker.get("/healthz")[0] == 503, 20)
        assert "no fetch has returned for" in worker.get("/healthz")[1]
        assert worker.application.running
