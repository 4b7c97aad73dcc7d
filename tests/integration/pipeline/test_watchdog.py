"""A worker that lives on without consuming is ended, and its successor counts what it left, once."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from devstack import waiting
from devstack.kafka import KafkaServer
from devstack.postgres import PostgresServer
from pipeline import ending
from tests.support import databases, stalls, topics, workers
from tests.support.fakes.log import value

BEFORE, AFTER = 20, 10
"""Records that arrive before the stall, and in the partition that stalls."""
STALLED_AFTER_S = 2.0
BOUND_S = 30.0
"""On a busy machine. On an idle one it takes 2.3 to 2.4 s; 3.6 where Kafka must be told of the group's place before,
and 4.4 for one partition while another goes on."""

ASKED = "allezone_pipeline_lag_timestamp_seconds"
NOTHING_MOVES = r"\d+ records wait and nothing has moved for \d+ s in partitions \[0"
STALLS: dict[stalls.Stall, str] = {
    stalls.fetch_never_returns: NOTHING_MOVES,
    stalls.position_is_stuck: NOTHING_MOVES,
    stalls.records_are_lost: NOTHING_MOVES,
    stalls.agent_hangs: NOTHING_MOVES,
    stalls.partitions_are_forgotten: NOTHING_MOVES,
    stalls.partition_stays_paused: NOTHING_MOVES,
    stalls.loop_stands: r"the event loop has stood still for \d+ s, in .* > stand \(",
}
"""With the sentence that each is ended with."""


class Ended(NamedTuple):
    """What became of a stalled worker, and of its successor."""

    status: int
    log: str
    seconds: float
    counted_before: int
    sent: int
    counted: int


class Course:
    """A worker that stalls, on a topic of two partitions and a database of its own, and the one that follows it."""

    def __init__(self, kafka: KafkaServer, postgres: PostgresServer, folder: Path, stall: stalls.Stall) -> None:
        self._postgres, self._folder, self._stall = postgres, folder, stall
        self._topic = topics.make(kafka, f"stall-{stall.__name__}-{time.monotonic_ns()}", partitions=2)
        self._sent = 0

    def run(self) -> Ended:
        defect = f"from tests.support import stalls\nstalls.{self._stall.__name__}({BEFORE})"
        group = {"aggregates_group": self._topic.kafka_topic}  # others that come and go would heal what stalls
        quick = {**group, "stalled_after_s": STALLED_AFTER_S}
        with databases.fresh(self._postgres) as database:
            with workers.planted(defect, self._topic, database, self._folder, **quick) as stalled:
                self._send(BEFORE)
                stalled.wait_counted(BEFORE)
                self._wait_for_look(stalled)  # may have begun before all was counted
                self._wait_for_look(stalled)  # saw nothing wait: what stood before has no part in what is measured
                began = time.monotonic()
                self._send(AFTER)
                waiting.until(lambda: not self._lives(stalled), workers.SECONDS)
                seconds = time.monotonic() - began
                status, counted_before = stalled.wait_ended(), stalled.counted()
            with workers.running(self._topic, database, self._folder / "successor", **group) as successor:
                successor.wait_counted(self._sent)
                counted = successor.counted()
        return Ended(status, stalled.log, seconds, counted_before, self._sent, counted)

    @staticmethod
    def _wait_for_look(worker: workers.Worker) -> None:
        before = worker.metric(ASKED)
        assert waiting.until(lambda: worker.metric(ASKED) > before, workers.SECONDS), worker.log

    def _lives(self, worker: workers.Worker) -> bool:
        """The other partition goes on meanwhile, where its worker does."""
        if self._stall is stalls.partition_stays_paused:
            self._send(1, partition=1)
        return worker.application.running

    def _send(self, count: int, partition: int = 0) -> None:
        workers.send(self._topic, [value(partition, self._sent + each) for each in range(count)], partition)
        self._sent += count


@pytest.fixture(scope="module")
def courses(
    kafka: KafkaServer, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[stalls.Stall, Future[Ended]]]:
    """All of them at once: they mostly wait. The database is there for its template, which each of them clones."""
    with databases.fresh(postgres), ThreadPoolExecutor(len(STALLS)) as pool:
        yield {
            stall: pool.submit(Course(kafka, postgres, tmp_path_factory.mktemp(stall.__name__), stall).run)
            for stall in STALLS
        }


@pytest.mark.parametrize("stall", STALLS, ids=lambda stall: stall.__name__)
def test_a_worker_that_stalls_ends_and_its_successor_counts_the_rest_once(
    courses: dict[stalls.Stall, Future[Ended]], stall: stalls.Stall
) -> None:
    ended = courses[stall].result()
    assert ended.status == ending.EXIT_STATUS, ended.log
    assert re.search(STALLS[stall], ended.log), ended.log
    assert STALLED_AFTER_S <= ended.seconds < BOUND_S, ended.log
    assert ended.counted_before < ended.sent == ended.counted
