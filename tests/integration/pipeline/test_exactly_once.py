"""docs/design.md 2: workers killed, stopped, joining and leaving; the full size is `python -m bench.exactly_once`."""

from pathlib import Path

from bench import exactly_once
from devstack.kafka import KafkaServer
from runtime.settings import DatabaseSettings
from tests.support import topics


def test_workers_that_join_leave_die_and_wake_up_again_count_every_event_once(
    kafka: KafkaServer, topic: str, database: DatabaseSettings, tmp_path: Path
) -> None:
    plan = exactly_once.Plan(joins=1, kills=1, stops=1, seed=1)
    report = exactly_once.run(topics.make(kafka, topic), database, tmp_path, 60_000, plan, flush_records=30)
    assert (report.lost, report.doubled) == (0, 0)
    assert report.early <= 1, "the backlog was counted before all of it, but the last leave, had happened"
