"""A worker that does not know its topic: a leader that was told nothing of it yet, and a topic that is gone."""

from pathlib import Path

from broker import connections
from devstack.kafka import KafkaServer
from pipeline import ending
from runtime.settings import DatabaseSettings
from tests.support import topics, workers
from tests.support.fakes.log import value

UNTOLD = """
from aiokafka.client import AIOKafkaClient
from faust.assignor.partition_assignor import PartitionAssignor

update, assign, assigned = AIOKafkaClient._metadata_update, PartitionAssignor.assign, []

async def fails_at_first(self, *arguments):
    return await update(self, *arguments) if assigned else False

def noted(self, *arguments):
    assigned.append(True)
    return assign(self, *arguments)

AIOKafkaClient._metadata_update, PartitionAssignor.assign = fails_at_first, noted
"""
"""Every question for metadata fails until the leader has assigned what it knows: nothing."""


def test_a_leader_that_assigned_without_knowing_the_topic_assigns_anew_when_it_does(
    kafka: KafkaServer, topic: str, database: DatabaseSettings, tmp_path: Path
) -> None:
    """aiokafka by itself asks again after five minutes."""
    log = topics.make(kafka, topic, partitions=2)
    workers.send(log, [value(0, offset) for offset in range(10)])
    with workers.planted(UNTOLD, log, database, tmp_path) as worker:
        worker.wait_counted(10)
        assert "Ignoring missing topic" in worker.log
        assert worker.application.running


def test_a_topic_that_is_gone_ends_the_worker_with_a_sentence(
    kafka: KafkaServer, topic: str, database: DatabaseSettings, tmp_path: Path
) -> None:
    log = topics.make(kafka, topic, partitions=1)
    workers.send(log, [value(0, offset) for offset in range(5)])
    with workers.running(log, database, tmp_path, stalled_after_s=10) as worker:
        worker.wait_counted(5)
        admin = connections.Admin(log.kafka_hosts)
        admin.delete_topics([topic])[topic].result(30)
        assert worker.wait_ended() == ending.EXIT_STATUS
        assert "there is no topic" in worker.log
