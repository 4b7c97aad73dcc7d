"""More workers than partitions: those that have none stand by."""

from pathlib import Path

from devstack import waiting
from devstack.kafka import KafkaServer
from runtime.settings import DatabaseSettings
from tests.support import topics, workers
from tests.support.fakes.log import value


def test_a_worker_without_partitions_is_ready_and_lives_and_takes_over(
    kafka: KafkaServer, topic: str, database: DatabaseSettings, tmp_path: Path
) -> None:
    """Also when it has fetched nothing for longer than `max_poll_interval_s`: aiokafka alone would leave the group."""
    log = topics.make(kafka, topic, partitions=1)
    sent = 0
    short = {"stalled_after_s": 8, "max_poll_interval_s": 3}
    with (
        workers.running(log, database, tmp_path / "first", **short) as first,
        workers.running(log, database, tmp_path / "second", **short) as second,
    ):

        def one_ended() -> bool:
            nonlocal sent
            workers.send(log, [value(0, sent)])
            sent += 1
            return not (first.application.running and second.application.running)

        assert not waiting.until(one_ended, 10, interval=0.2), first.log + second.log
        first.application.kill()
        workers.send(log, [value(0, sent)])
        second.wait_counted(sent + 1)
