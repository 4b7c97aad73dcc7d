"""A topic and a database with data in them, and the operator's commands run against both."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from confluent_kafka import Producer, TopicPartition

from broker import backlog, connections
from broker import errors as broker_errors
from broker import topics as kafka_topics
from devstack import applications, paths, ports, waiting
from pipeline import __main__ as pipeline_main
from pipeline import commands, folding, pending, reading
from runtime.settings import DatabaseSettings, KafkaSettings
from schemas import codec
from schemas.tags import UserTag
from stores import flush, hours, offsets, pools
from stores.postgres_profiles import PostgresProfiles

HOUR = 457_764
"""2022-03-22T12, in hours since 1970."""
HOUR_NAME, NEXT_HOUR_NAME = "2022-03-22T12", "2022-03-22T13"
HOUR_MS = 3_600_000
BROKEN = b"no avro"
DEADLINE_S = 30.0

Item = tuple[int, str, str, str, str]
Sums = dict[Item, tuple[int, int]]


def tag(time_ms: int, **fields: Any) -> UserTag:
    """A good tag."""
    made = UserTag(time_ms, "cookie-1", "PL", "PC", "VIEW", "origin-1", 1, "brand-1", "category-1", 100)
    return msgspec.structs.replace(made, **fields)


def some_tags(count: int, seed: int = 1, *, first_hour: int = HOUR, over_hours: int = 2) -> list[UserTag]:
    """Tags over a few hours, with few enough cookies and keys that many of each meet."""
    chosen = random.Random(seed)  # noqa: S311
    return [
        tag(
            first_hour * HOUR_MS + chosen.randrange(over_hours * HOUR_MS),
            cookie=f"cookie-{chosen.randrange(20)}",
            action=chosen.choice(["VIEW", "BUY"]),
            origin=f"origin-{chosen.randrange(5)}",
            brand_id=f"brand-{chosen.randrange(5)}",
            category_id=f"category-{chosen.randrange(5)}",
            price=chosen.randrange(-(2**31), 2**31),
        )
        for _ in range(count)
    ]


def sums_of(tags: Iterable[UserTag]) -> Sums:
    """What these tags add up to, the plain way."""
    sums: Sums = {}
    for each in tags:
        item = (each.time // 60_000, each.action, each.origin, each.brand_id, each.category_id)
        count, price = sums.get(item, (0, 0))
        sums[item] = count + 1, price + each.price
    return sums


def totals_of(sums: Sums) -> dict[tuple[int, str], tuple[int, int]]:
    """What sums add up to by minute and action."""
    totals: dict[tuple[int, str], tuple[int, int]] = {}
    for (minute, action, *_), (count, price) in sums.items():
        earlier = totals.get((minute, action), (0, 0))
        totals[minute, action] = earlier[0] + count, earlier[1] + price
    return totals


class Installation:
    """`settings` are those that the commands get; the groups are those of the workers that count the topic."""

    def __init__(
        self,
        kafka: KafkaSettings,
        database: DatabaseSettings,
        folder: Path,
        *,
        aggregates_group: str = "aggregates",
        profiles_group: str = "profiles",
    ) -> None:
        self.kafka, self.database, self._folder = kafka, database, folder
        self.settings = commands.OperatorSettings(
            environment="local",
            kafka_hosts=kafka.kafka_hosts,
            kafka_topic=kafka.kafka_topic,
            db_host=database.db_host,
            db_port=database.db_port,
            db_name=database.db_name,
            db_user=database.db_user,
            db_password=database.db_password,
            aggregates_group=aggregates_group,
            profiles_group=profiles_group,
        )
        self._producer = _producer(kafka)

    # -- the log -------------------------------------------------------------------------------------------------------

    def produce(self, records: Sequence[UserTag | bytes]) -> None:
        """Tags, or bytes as they are, one after the other into the partitions in turn."""
        topic, partitions = self.kafka.kafka_topic, self.kafka.kafka_partitions
        for number, record in enumerate(records):
            value = record if isinstance(record, bytes) else codec.encode_tag(record)
            self._producer.produce(topic, value, b"key", partition=number % partitions)
        assert self._producer.flush(DEADLINE_S) == 0

    def produce_slowly(self, tags: Sequence[UserTag]) -> None:
        """In pieces, each acknowledged before the next."""
        for start in range(0, len(tags), 500):
            self.produce(tags[start : start + 500])

    def groups(self) -> set[str]:
        """The consumer groups that the broker knows."""
        listed = connections.Admin(self.kafka.kafka_hosts).list_consumer_groups().result(DEADLINE_S)
        return {group.group_id for group in listed.valid}

    def delete_records(self, below: dict[int, int]) -> None:
        """As retention does: `{partition: first offset that stays}`."""
        admin = connections.Admin(self.kafka.kafka_hosts)
        wanted = [TopicPartition(self.kafka.kafka_topic, partition, offset) for partition, offset in below.items()]
        for future in admin.delete_records(wanted).values():
            future.result(DEADLINE_S)

    def replace_topic(self) -> None:
        """Delete the topic and make it anew."""
        self.delete_topic()
        kafka_topics.ensure(self.kafka)

    def delete_topic(self) -> None:
        """Back when no broker knows it any more."""
        admin = connections.Admin(self.kafka.kafka_hosts)
        admin.delete_topics([self.kafka.kafka_topic])[self.kafka.kafka_topic].result(DEADLINE_S)
        assert waiting.until(self._topic_is_gone, DEADLINE_S)
        # A producer remembers the old topic's offsets of its own.
        self._producer = _producer(self.kafka)

    def _topic_is_gone(self) -> bool:
        try:
            self.topic()
        except broker_errors.TopicMissing:
            return True
        return False

    def topic(self) -> kafka_topics.Topic:
        return kafka_topics.describe(connections.Admin(self.kafka.kafka_hosts), self.kafka.kafka_topic)

    # -- what workers do, without a process ----------------------------------------------------------------------------

    async def count(self) -> None:
        """All that is not counted yet, as an aggregates worker counts it."""
        of = offsets.Consumer(self.settings.aggregates_group, self.kafka.kafka_topic, self.topic().id)
        reach = kafka_topics.offsets(self.kafka.kafka_hosts, self.kafka.kafka_topic)
        flushes = flush.PostgresFlushes(self.database.conninfo(), of)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(flushes.close)
            reader = await stack.enter_async_context(reading.TopicReader(self.settings))
            starts = await flushes.open({partition: first for partition, (first, _) in reach.items()})
            ends = {partition: end for partition, (_, end) in reach.items()}
            parts = [batch async for batch in reader.read(starts, ends)]
            folded = folding.fold(parts, starts)
            async with self.connection() as conn:
                await hours.ensure_hours(conn, folded.hours)
            if parts:
                await flushes.write(folded.as_flush())

    async def take_profiles(self) -> None:
        """All of the topic into profiles, as a profiles worker takes it."""
        reach = kafka_topics.offsets(self.kafka.kafka_hosts, self.kafka.kafka_topic)
        waiting = pending.Pending()
        async with reading.TopicReader(self.settings) as reader:
            starts = {partition: first for partition, (first, _) in reach.items()}
            async for batch in reader.read(starts, {partition: end for partition, (_, end) in reach.items()}):
                waiting.add(batch)
        async with pools.for_profiles(self.database.conninfo()) as pool:
            await waiting.write(PostgresProfiles(pool))

    @contextmanager
    def worker(self, kind: str = "aggregates") -> Iterator[applications.Application]:
        """A real worker process, ready; killed afterwards."""
        port = ports.reserve()
        environment = {**self.environment(), "PROBE_PORT": str(port), "DATA_DIR": str(self._folder / "data")}
        process = applications.Application(kind, ["pipeline", kind], port, environment, self._folder / f"{kind}.log")
        process.start()
        try:
            assert waiting.until(process.answers, DEADLINE_S), (self._folder / f"{kind}.log").read_text()
            yield process
        finally:
            process.kill()

    # -- commands ------------------------------------------------------------------------------------------------------

    async def operate(self, *arguments: str) -> int:
        """Run a command of `python -m pipeline` in this process; its exit status."""
        parsed = pipeline_main.parser().parse_args(arguments)
        return await commands.attempt(pipeline_main.OPERATIONS[parsed.command].run, self.settings, parsed)

    @contextmanager
    def process(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """The same as a process of its own; killed at the end if it still runs."""
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=paths.PROJECT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def environment(self) -> dict[str, str]:
        told = {
            "ENVIRONMENT": "local",
            "KAFKA_HOSTS": self.kafka.kafka_hosts,
            "KAFKA_TOPIC": self.kafka.kafka_topic,
            "DB_HOST": self.database.db_host,
            "DB_PORT": str(self.database.db_port),
            "DB_NAME": self.database.db_name,
            "DB_USER": self.database.db_user,
            "DB_PASSWORD": self.database.db_password.get_secret_value(),
            "SESSION_TIMEOUT_S": "6",
            "AGGREGATES_GROUP": self.settings.aggregates_group,
            "PROFILES_GROUP": self.settings.profiles_group,
        }
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return inherited | told

    # -- what is stored ------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        async with await psycopg.AsyncConnection.connect(self.database.conninfo(), autocommit=True) as conn:
            yield conn

    async def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        async with self.connection() as conn:
            return await (await conn.execute(query.encode(), parameters)).fetchall()

    async def execute(self, query: str, *parameters: Any) -> None:
        async with self.connection() as conn:
            await conn.execute(query.encode(), parameters)

    async def sums(self) -> Sums:
        """By the deltas; the minute totals are held against them."""
        found = await self.rows(
            "SELECT extract(epoch FROM time)::bigint / 60, action, origin, brand_id, category_id, sum(count)::bigint,"
            " sum(sum_price)::bigint FROM aggregate_deltas GROUP BY 1, 2, 3, 4, 5"
        )
        sums = {(minute, action, *rest): (count, price) for minute, action, *rest, count, price in found}
        totals = await self.rows(
            "SELECT extract(epoch FROM time)::bigint / 60, action, sum(count)::bigint, sum(sum_price)::bigint"
            " FROM minute_totals GROUP BY 1, 2"
        )
        assert {(minute, action): (count, price) for minute, action, count, price in totals} == totals_of(sums)
        return sums

    async def profiles(self) -> list[tuple[Any, ...]]:
        """The newest 200 entries of each cookie and action, byte for byte."""
        return await self.rows(
            "SELECT cookie, action, entry_key, value FROM (SELECT *, row_number() OVER (PARTITION BY cookie, action"
            " ORDER BY entry_key DESC) AS place FROM profile_tags) AS kept WHERE place <= 200 ORDER BY 1, 2, 3"
        )

    async def letters(self, *, replayed: bool = False) -> list[int]:
        """Ids of dead letters."""
        found = await self.rows(
            "SELECT id FROM dead_letters WHERE (replayed_at IS NOT NULL) = %s ORDER BY id", replayed
        )
        return [letter_id for (letter_id,) in found]

    async def wait_for_lock(self, application: str) -> None:
        """Until a session of that name waits for a lock."""
        deadline = asyncio.get_running_loop().time() + DEADLINE_S
        while not await self.rows(
            "SELECT FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
            " AND datname = current_database()",
            application,
        ):
            assert asyncio.get_running_loop().time() < deadline, f"{application} does not wait for any lock"
            await asyncio.sleep(0.02)

    async def wait_until_alone(self) -> None:
        """Until the server has ended the sessions of processes that are gone."""
        deadline = asyncio.get_running_loop().time() + DEADLINE_S
        others = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        while await self.rows(others):
            assert asyncio.get_running_loop().time() < deadline, "a session of a killed process is still there"
            await asyncio.sleep(0.02)

    async def wait_until_taken(self) -> None:
        """Until the profiles group has told Kafka that it has taken everything."""
        admin = connections.Admin(self.kafka.kafka_hosts)
        deadline = asyncio.get_running_loop().time() + DEADLINE_S
        while any(each.count for each in backlog.read(admin, self.kafka.kafka_topic, [self.settings.profiles_group])):
            assert asyncio.get_running_loop().time() < deadline, "the profiles worker does not come to the end"
            await asyncio.sleep(0.05)

    async def wait_until_counted(self, events: int) -> None:
        """Until minute totals hold so many events."""
        deadline = asyncio.get_running_loop().time() + DEADLINE_S
        while (found := (await self.rows("SELECT coalesce(sum(count), 0) FROM minute_totals"))[0][0]) < events:
            assert asyncio.get_running_loop().time() < deadline, f"{found} of {events} events were counted"
            await asyncio.sleep(0.05)


def _producer(kafka: KafkaSettings) -> Producer:
    return Producer({"bootstrap.servers": kafka.kafka_hosts, "acks": "all", "linger.ms": 2, "log_level": 0})
