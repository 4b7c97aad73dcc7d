"""A backlog counted while workers join, leave, are killed and are stopped beyond their session: exactly once?

    python -m bench.exactly_once [--events N] [--joins N] [--kills N] [--stops N] [--seed N]

Starts a broker and a PostgreSQL of its own, fills a topic of 4 partitions, and lets one worker count it with small
writes, so that there are many of them to be interrupted. Meanwhile, in an order that the seed decides, a second worker
joins and leaves, workers are ended with SIGKILL and started again, and one is stopped with SIGSTOP until the other has
taken its partitions over and counted some of them. Then every sum is compared. Exit status 1: something was lost or
doubled, or the backlog was counted before all of that had happened.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psycopg

from bench import events, workers
from devstack import applications, waiting
from runtime.settings import DatabaseSettings, KafkaSettings

SESSION_TIMEOUT_S = 6
STEP_SECONDS = 60.0
END_SECONDS = 300.0


class Plan(NamedTuple):
    """What is done to the workers meanwhile."""

    joins: int = 5
    kills: int = 3
    stops: int = 1
    seed: int = 1

    def actions(self) -> list[str]:
        """In an order of the seed's: every join is followed by its leave, every stop has a second worker beside it."""
        pick = random.Random(self.seed)  # noqa: S311
        made = ["join", "leave"] * self.joins
        for _ in range(self.kills):
            made.insert(pick.randrange(len(made) + 1), "kill")
        for _ in range(self.stops):
            joins = [place for place, action in enumerate(made) if action == "join"]
            made.insert(pick.choice(joins) + 1, "stop")
        return made


class Report(NamedTuple):
    """`early` counts the actions that came after the backlog was counted; they prove nothing."""

    events: int
    lost: int
    doubled: int
    early: int
    seconds: float

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.early)


def main() -> int:
    """Run and judge."""
    parser = argparse.ArgumentParser(prog="python -m bench.exactly_once", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--joins", type=int, default=5)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--stops", type=int, default=1)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))  # noqa: S311
    arguments = parser.parse_args()
    plan = Plan(arguments.joins, arguments.kills, arguments.stops, arguments.seed)
    with workers.servers(throwaway_data=True) as servers:
        topic, database = servers.topic("events"), servers.database("events")
        report = run(topic, database, servers.folder, arguments.events, plan, say=lambda text: print(text, flush=True))
    print(
        f"seed {plan.seed}: {report.events:,} events, lost {report.lost}, doubled {report.doubled}, "
        f"{report.seconds:.0f} s" + (f", {report.early} actions came too late to matter" if report.early else "")
    )
    return 0 if report.good else 1


def run(
    topic: KafkaSettings,
    database: DatabaseSettings,
    folder: Path,
    count: int,
    plan: Plan,
    *,
    flush_records: int = 150,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Fill `topic`, count it into `database` while `plan` happens, compare."""
    sums = events.produce(topic.kafka_hosts, topic.kafka_topic, count, plan.seed)
    began = time.monotonic()
    crew = _Crew(topic, database, folder, plan.seed, flush_records, count)
    early = 0
    try:
        with psycopg.connect(database.conninfo(), autocommit=True) as conn:
            crew.start("first")
            for action in plan.actions():
                _wait(lambda: events.counted(conn)[0] > 0, "the first event to be counted")
                counted = events.counted(conn)[0]
                say(f"{time.monotonic() - began:5.1f} s, {counted:9,} counted: {action}")
                early += counted >= count
                crew.act(action, lambda: events.counted(conn)[0])
            waiting.until(lambda: events.counted(conn)[0] >= count, END_SECONDS)
            crew.end()
            lost, doubled = events.difference(sums, events.stored(conn))
    finally:
        crew.kill()
    return Report(count, lost, doubled, early, time.monotonic() - began)


class _Crew:
    """One or two workers by name."""

    def __init__(
        self, topic: KafkaSettings, database: DatabaseSettings, folder: Path, seed: int, flush_records: int, total: int
    ) -> None:
        self._total = total
        self._topic, self._database, self._folder, self._flush_records = topic, database, folder, flush_records
        self._pick = random.Random(seed)  # noqa: S311
        self._workers: dict[str, applications.Application] = {}

    def act(self, action: str, counted: Callable[[], int]) -> None:
        """Do it and wait until it has had its effect."""
        match action:
            case "join":
                self.start("second")
            case "leave":
                self._leave()
            case "kill":
                self._kill_one()
            case "stop":
                self._stop_one(counted)

    def start(self, name: str) -> None:
        """A new process, as a supervisor would start it; back when it was given partitions."""
        worker = workers.worker(
            name,
            self._folder,
            self._topic,
            self._database,
            session_timeout_s=SESSION_TIMEOUT_S,
            flush_records=self._flush_records,
            max_poll_records=self._flush_records,
        )
        self._workers[name] = worker
        worker.start()
        worker.wait_ready(STEP_SECONDS)

    def end(self) -> None:
        """All leave in good order, having written what they had."""
        for worker in self._workers.values():
            worker.stop()

    def kill(self) -> None:
        """None is left."""
        for worker in self._workers.values():
            worker.kill()

    def _leave(self) -> None:
        self._workers.pop("second").stop()

    def _kill_one(self) -> None:
        name = self._pick.choice(sorted(self._workers))
        self._workers[name].kill()
        self.start(name)

    def _stop_one(self, counted: Callable[[], int]) -> None:
        """Until the other one has everything and counts on; then the stopped one wakes up with what it had folded."""
        names = sorted(self._workers)
        self._pick.shuffle(names)
        stopped, other = (self._workers[name] for name in names)
        _wait(self._is_shared_out, "each worker to have its share")  # a placement under way would pass for the next one
        stopped.pause()
        _wait(lambda: held(other) == self._topic.kafka_partitions, "the other worker to be given everything")
        at = counted()
        _wait(lambda: counted() > at or at >= self._total, "the other worker to count on")
        stopped.resume()
        _wait(lambda: not stopped.running or self._is_shared_out(), "the stopped worker to be placed again")
        if not stopped.running:
            self.start(names[0])

    def _is_shared_out(self) -> bool:
        """Whether each partition is one worker's, and each worker has some."""
        shares = [held(worker) for worker in self._workers.values()]
        return all(shares) and sum(shares) == self._topic.kafka_partitions


def held(worker: applications.Application) -> int:
    """How many partitions a worker has; 0 while it does not answer."""
    return sum(line.startswith("allezone_pipeline_next_offset{") for line in workers.scrape(worker).splitlines())


def placements(worker: applications.Application) -> float:
    """How often a worker was given partitions; 0 while it does not answer."""
    return workers.metric(worker, "allezone_pipeline_placements_total") or 0.0


def _wait(condition: Callable[[], bool], what: str) -> None:
    if not waiting.until(condition, STEP_SECONDS):
        message = f"waited {STEP_SECONDS:.0f} s for {what}"
        raise TimeoutError(message)


if __name__ == "__main__":
    sys.exit(main())
