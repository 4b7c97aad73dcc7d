"""The worker as a process, on real Kafka and real PostgreSQL: what it counts, and how it ends."""

import json
from pathlib import Path

import psycopg
import pytest

from broker import backlog, connections
from broker import topics as broker_topics
from devstack import waiting
from devstack.kafka import KafkaServer
from pipeline import ending
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.support import topics, workers
from tests.support.fakes.log import MINUTE, value

DAY_MS = 24 * 3_600_000


@pytest.fixture
def log(kafka: KafkaServer, topic: str) -> KafkaSettings:
    """A topic of two partitions."""
    return topics.make(kafka, topic, partitions=2)


def events(count: int, first: int = 0) -> list[bytes | None]:
    return [value(0, offset) for offset in range(first, first + count)]


def letters(database: DatabaseSettings) -> list[tuple[int, str]]:
    with psycopg.connect(database.conninfo()) as conn:
        return conn.execute('SELECT "offset", reason FROM dead_letters ORDER BY "offset"').fetchall()


def told(log: KafkaSettings) -> dict[int, int]:
    """What Kafka was told of the group."""
    return backlog.committed(connections.Admin(log.kafka_hosts), "aggregates", log.kafka_topic, 5.0)


def make_anew(log: KafkaSettings) -> None:
    """Delete the topic and make it again, as another."""
    before = broker_topics.topic_id(log.kafka_hosts, log.kafka_topic)
    admin = connections.Admin(log.kafka_hosts)
    admin.delete_topics([log.kafka_topic])[log.kafka_topic].result(30)
    assert waiting.until(lambda: log.kafka_topic not in admin.list_topics(timeout=5).topics, 30)
    broker_topics.ensure(log)
    assert broker_topics.topic_id(log.kafka_hosts, log.kafka_topic) != before


def test_every_bad_record_is_one_letter_and_every_good_one_is_counted(
    log: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    """Bisected: a zero in a string, times beyond all tables, undecodable bytes, no value, an hour that is gone."""
    gone = MINUTE * 60_000 - 30 * DAY_MS
    with psycopg.connect(database.conninfo()) as conn:
        conn.execute(
            "INSERT INTO aggregate_hours (hour, dropped_at) VALUES (date_trunc('hour', to_timestamp(%s)), now())",
            [gone // 1000],
        )
    bad: dict[int, tuple[bytes | None, str]] = {
        3: (value(0, 3, origin="a\0b"), "refused_by_store"),
        10: (b"\xc3\x01no such record", "undecodable"),
        11: (None, "undecodable"),
        20: (value(0, 20, time=2**63 - 1), "refused_by_store"),
        21: (value(0, 21, time=-(2**62)), "refused_by_store"),
        25: (value(0, 25, time=gone), "hour_gone"),
        30: (value(0, 30, time=20_000 * 365 * DAY_MS), "hour_impossible"),
    }
    records = events(40)
    for offset, (content, _) in bad.items():
        records[offset] = content
    workers.send(log, records)
    workers.send(log, events(10), partition=1)
    with workers.running(log, database, tmp_path) as worker:
        worker.wait_counted(40 - len(bad) + 10)
        assert letters(database) == [(offset, reason) for offset, (_, reason) in bad.items()]
        assert waiting.until(lambda: told(log) == {0: 40, 1: 10}, 20), told(log)
        status, body = worker.get("/readyz")
        assert (status, json.loads(body)["dependencies"].keys()) == (200, {"kafka", "postgresql"})
        assert worker.get("/healthz")[0] == 200
        assert worker.metric('allezone_pipeline_dead_letters_total{reason="undecodable"}') == 2


def test_a_hole_left_by_markers_of_transactions_is_passed_after_repeated_seeks(
    log: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    with workers.running(log, database, tmp_path, seek_again_s=0.05) as worker:
        for number in range(3):
            workers.send(log, events(5, 10 * number), transaction=log.kafka_topic)
            worker.wait_counted(5 * number + 5)
        assert worker.metric("allezone_pipeline_jumped_offsets_total") == 2
        assert worker.metric("allezone_pipeline_seeks_back_total") == 6


def test_a_topic_made_anew_while_the_worker_runs_ends_it_with_a_sentence_and_counts_nothing_more(
    log: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    workers.send(log, events(5))
    with workers.running(log, database, tmp_path, stalled_after_s=10) as worker:
        worker.wait_counted(5)
        make_anew(log)
        workers.send(log, events(9))
        assert worker.wait_ended() == ending.EXIT_STATUS
        assert "deleted and made anew" in worker.log or "there is no topic" in worker.log
        assert worker.counted() == 5
    with workers.started(log, database, tmp_path) as again:
        assert again.wait_ended() == ending.EXIT_STATUS
        assert "run `python -m pipeline adopt-topic`" in again.log
        assert again.counted() == 5


def test_a_log_that_ends_below_what_was_counted_ends_the_worker_with_a_sentence(
    log: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    topic_id = broker_topics.topic_id(log.kafka_hosts, log.kafka_topic)
    with psycopg.connect(database.conninfo()) as conn:
        conn.execute("INSERT INTO pipeline_offsets VALUES ('aggregates', %s, 1, 1000)", [topic_id])
    with workers.started(log, database, tmp_path) as worker:
        assert worker.wait_ended() == ending.EXIT_STATUS
        assert "partition 1 ends at offset 0, but everything below 1000 was counted" in worker.log


def test_sigterm_writes_what_was_folded_and_ends_well(
    log: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    with workers.running(log, database, tmp_path, flush_interval_s=3_600) as worker:
        workers.send(log, events(7))
        assert waiting.until(lambda: worker.metric("allezone_pipeline_records_total") == 7, 30)
        assert worker.counted() == 0
        assert worker.application.stop(), worker.log
        assert worker.application.returncode == 0
        assert worker.counted() == 7
        assert "\x1b" not in worker.log, "Faust wrote codes for a terminal"


def test_an_exception_in_the_agent_ends_the_process(
    log: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    defect = (
        "from pipeline import sink\n"
        "async def take(self, batch):\n"
        "    raise RuntimeError('planted')\n"
        "sink.Sink.take = take\n"
    )
    workers.send(log, events(3))
    with workers.planted(defect, log, database, tmp_path) as worker:
        assert worker.wait_ended() != 0
        assert "planted" in worker.log
        assert worker.counted() == 0


def test_a_placement_that_hangs_ends_the_process_within_half_of_the_request_timeout(
    log: KafkaSettings, database: DatabaseSettings, tmp_path: Path
) -> None:
    defect = (
        "import asyncio\n"
        "from pipeline import sink\n"
        "async def starts(self, partitions):\n"
        "    await asyncio.sleep(3600)\n"
        "sink.Sink.starts = starts\n"
    )
    with workers.planted(defect, log, database, tmp_path, request_timeout_s=11) as worker:
        assert worker.wait_ended() == ending.EXIT_STATUS
        assert "TimeoutError" in worker.log
