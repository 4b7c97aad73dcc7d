"""An hour's worth of events, counted again and written into profiles again: how long, and how long do workers wait?

    python -m bench.rebuild [--events N]

Starts a broker and a PostgreSQL of its own, has a worker count a backlog of nearly distinct keys, and then runs
`rebuild-aggregates` over its hours beside that worker, and `rebuild-profiles`. Exit status 1 when a sum is wrong
afterwards, or a process took more memory than the bound.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Mapping

import psutil
import psycopg

from bench import events, workers
from devstack import waiting

COUNT_SECONDS = 600.0
MOST_MEGABYTES = 300
HOURS = ("--from-hour", "2022-03-22T12", "--to-hour", "2022-03-22T14")  # the events begin at 12:15


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(prog="python -m bench.rebuild", description=__doc__)
    parser.add_argument("--events", type=int, default=3_600_000, help="at most 6,300,000: the two hours' worth")
    wanted = parser.parse_args().events
    with workers.servers() as servers:
        topic, database = servers.topic("events"), servers.database("events")
        right = events.totals(events.produce(servers.kafka.bootstrap, "events", wanted, seed=1))
        worker = workers.worker("worker", servers.folder, topic, database)
        worker.start()
        try:
            with psycopg.connect(database.conninfo(), autocommit=True) as conn:
                assert waiting.until(lambda: events.counted(conn) == right, COUNT_SECONDS, interval=0.5)
                environment = worker.command().env or {}
                most = max(_run(environment, "rebuild-aggregates", *HOURS), _run(environment, "rebuild-profiles"))
                found = _added_up(conn), events.counted(conn)
        finally:
            worker.kill()
    verdict = "right" if found == (right, right) else f"WRONG, {found} instead of {right}"
    print(f"sums are {verdict}, {most:.0f} MB at most")
    return 0 if found == (right, right) and most < MOST_MEGABYTES else 1


def _run(environment: Mapping[str, str], *arguments: str) -> float:
    """Run a command of the pipeline and show what it says; its peak of memory in megabytes."""
    began, most = time.perf_counter(), 0.0
    print(f"$ python -m pipeline {' '.join(arguments)}")
    with subprocess.Popen([sys.executable, "-m", "pipeline", *arguments], env={**environment}) as process:
        seen = psutil.Process(process.pid)
        while process.poll() is None:
            most = max(most, seen.memory_info().rss / 1e6)
            time.sleep(0.1)
    print(f"{time.perf_counter() - began:.1f} s with start-up, {most:.0f} MB, exit status {process.returncode}")
    assert process.returncode == 0
    return most


def _added_up(conn: psycopg.Connection) -> tuple[int, int]:
    [(count, price)] = conn.execute("SELECT sum(count), sum(sum_price) FROM aggregate_deltas").fetchall()
    return int(count), int(price)


if __name__ == "__main__":
    sys.exit(main())
