"""A backlog of events with nearly distinct keys, from Kafka into PostgreSQL with its indexes: how fast, at what cost?

    python -m bench.pipeline [--events N] [--rounds N] [-- SETTING=VALUE ...]

Starts a broker and a PostgreSQL of its own, and in each round one worker on an empty database. Prints events per second
and the worker's CPU time per event (user and system, all its threads), and beside them what the two things cost that
no such worker can do without: fetching the records, and COPY of the rows. Exit status 1 when the best round misses a
bound, or a sum is wrong in any of them.
"""

import argparse
import asyncio
import sys
import time
from typing import NamedTuple

import psutil
import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench import events, workers
from runtime.settings import DatabaseSettings, KafkaSettings
from stores import copying, hours, queries

ROUND_SECONDS = 180.0
LEAST_EVENTS_A_SECOND = 70_000
MOST_CPU_US = 10.0
MOST_MEGABYTES = 300
ROWS_A_COPY = 20_000
COPY = queries.load("flush")["copy_deltas"]


class Round(NamedTuple):
    """One run of a worker over the whole topic. Rates in events/s, costs in us of CPU an event, start-up in both
    senses: `_whole` includes it."""

    rate: float
    rate_whole: float
    cost: float
    cost_whole: float
    megabytes: float

    @property
    def good(self) -> bool:
        return self.rate >= LEAST_EVENTS_A_SECOND and self.cost_whole <= MOST_CPU_US and self.megabytes < MOST_MEGABYTES


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(prog="python -m bench.pipeline", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("settings", nargs="*", metavar="SETTING=VALUE", help="settings of the worker")
    arguments = parser.parse_args()
    settings = dict(pair.split("=", 1) for pair in arguments.settings)
    with workers.servers() as servers:
        topic = servers.topic("events")
        began = time.perf_counter()
        sums = events.produce(servers.kafka.bootstrap, "events", arguments.events, seed=1)
        print(f"{arguments.events:,} events with {len(sums):,} keys made in {time.perf_counter() - began:.0f} s")
        fetching = asyncio.run(_fetch(topic, arguments.events))
        copying_cost = asyncio.run(_copy(servers.database("reference"), sums))
        print(f"reference: fetching alone {_shown(*fetching)}; COPY of the rows alone {_shown(*copying_cost)}")
        rounds = [_round(servers, number, topic, sums, settings) for number in range(arguments.rounds)]
    best = max(rounds, key=lambda each: (each.good, each.rate))
    print(
        f"best: {best.rate:,.0f} events/s (at least {LEAST_EVENTS_A_SECOND:,}), {best.cost_whole:.1f} us of CPU an "
        f"event with start-up (at most {MOST_CPU_US:.0f}), {best.megabytes:.0f} MB (below {MOST_MEGABYTES})"
    )
    return 0 if best.good else 1


def _round(
    servers: workers.Servers, number: int, topic: KafkaSettings, sums: events.Sums, settings: dict[str, str]
) -> Round:
    database = servers.database(f"round_{number}")
    worker = workers.worker(f"worker-{number}", servers.folder, topic, database, **settings)
    worker.start()
    try:
        with psycopg.connect(database.conninfo(), autocommit=True) as conn:
            done = _watch(worker.pid or 0, conn, events.totals(sums)[0])
            lost, doubled = events.difference(sums, events.stored(conn))
    finally:
        worker.stop()
    print(
        f"round {number + 1}: {done.rate:,.0f} events/s ({done.rate_whole:,.0f} with start-up), "
        f"{done.cost:.1f} us of CPU an event ({done.cost_whole:.1f} with start-up), {done.megabytes:.0f} MB, "
        f"lost {lost}, doubled {doubled}",
        flush=True,
    )
    if lost or doubled:
        message = f"wrong sums, see {worker.log}"
        raise SystemExit(message)
    return done


def _watch(pid: int, conn: psycopg.Connection, wanted: int) -> Round:
    """Look until all events are counted. The looks take a few ms of the database each, 20 times a second."""
    process = psutil.Process(pid)
    began = time.perf_counter()
    first: tuple[float, int, float] | None = None
    megabytes = 0.0
    while True:
        count = events.counted(conn)[0]
        now, cpu = time.perf_counter(), _cpu_seconds(process)
        megabytes = max(megabytes, process.memory_info().rss / 1e6)
        if first is None and count:
            first = (now, count, cpu)
        if first is not None and count >= wanted:
            since, already, spent = first
            rest = max(1, count - already)
            return Round(
                rest / (now - since),
                count / (now - began),
                (cpu - spent) / rest * 1e6,
                cpu / count * 1e6,
                megabytes,
            )
        if now - began > ROUND_SECONDS:
            message = f"{count:,} of {wanted:,} events counted in {ROUND_SECONDS:.0f} s"
            raise SystemExit(message)
        time.sleep(0.05)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


async def _fetch(topic: KafkaSettings, wanted: int) -> tuple[float, float]:
    """(events/s, us of CPU an event) of aiokafka's `getmany` and nothing else."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=topic.kafka_hosts, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic.kafka_topic, number) for number in range(topic.kafka_partitions)])
        began, spent, seen = time.perf_counter(), time.process_time(), 0
        while seen < wanted:
            seen += sum(map(len, (await consumer.getmany(timeout_ms=1_000, max_records=4_000)).values()))
        return seen / (time.perf_counter() - began), (time.process_time() - spent) / seen * 1e6
    finally:
        await consumer.stop()


async def _copy(database: DatabaseSettings, sums: events.Sums) -> tuple[float, float]:
    """(rows/s, us of this process's CPU a row) of the same rows sent with COPY, a transaction per batch."""
    rows = [(item, count, price) for item, (count, price) in sums.items()]
    async with await psycopg.AsyncConnection.connect(database.conninfo(), autocommit=True) as conn:
        await hours.ensure_hours(conn, {item[0] // 60 for item in sums})
        began, spent = time.perf_counter(), time.process_time()
        for at in range(0, len(rows), ROWS_A_COPY):
            async with conn.cursor() as cursor, cursor.copy(COPY) as copy:
                await copy.write(copying.encode(rows[at : at + ROWS_A_COPY]))
        return len(rows) / (time.perf_counter() - began), (time.process_time() - spent) / len(rows) * 1e6


def _shown(rate: float, cost: float) -> str:
    return f"{rate:,.0f}/s, {cost:.1f} us of CPU each"


if __name__ == "__main__":
    sys.exit(main())
