"""How many tags a second a profile store takes, and how many profiles it reads, from one process.

`python -m bench.profiles` starts a PostgreSQL of its own, or takes the Aerospike cluster that AEROSPIKE_HOSTS names.
Exit status 1: fewer than 5,000 tags a second, five times the rate of the stream.
"""

import argparse
import asyncio
import os
import random
import sys
import time

from psycopg import conninfo
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from bench import queries
from stores import profiles, profiles_factory
from stores.profiles import ProfileStore, ProfileWrite

NOON = 1_647_950_400_000
VALUE_BYTES = 150
CASES = {"a million cookies": 1_000_000, "20,000 cookies": 20_000, "1,000 cookies, all full": 1_000, "one cookie": 1}
WRITES_A_BATCH = 1_000
FLOOR = 5_000.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.profiles", description=__doc__)
    parser.add_argument("--batches", type=int, default=100, help="batches of 1,000 tags in each case")
    parser.add_argument("--reads", type=int, default=1_000, help="profiles read in each case")
    chosen = parser.parse_args()
    hosts = os.environ.get("AEROSPIKE_HOSTS", "")
    if hosts:
        slowest = asyncio.run(run(aerospike_settings(hosts), chosen.batches, chosen.reads))
    else:
        with queries.server() as dsn:
            slowest = asyncio.run(run(postgres_settings(dsn), chosen.batches, chosen.reads))
    return int(slowest < FLOOR)


def aerospike_settings(hosts: str) -> profiles_factory.ProfileStoreSettings:
    return profiles_factory.ProfileStoreSettings(
        environment="local",
        aerospike_hosts=hosts,
        aerospike_namespace=os.environ.get("AEROSPIKE_NAMESPACE", "test"),
        aerospike_set="bench",
    )


def postgres_settings(dsn: str) -> profiles_factory.ProfileStoreSettings:
    parts = conninfo.conninfo_to_dict(dsn)
    return profiles_factory.ProfileStoreSettings(
        environment="local",
        db_host=str(parts["host"]),
        db_port=int(str(parts["port"])),
        db_name=str(parts["dbname"]),
        db_user=str(parts["user"]),
        db_password=SecretStr(str(parts["password"])),
    )


async def run(settings: profiles_factory.ProfileStoreSettings, batches: int, reads: int) -> float:
    """Prints the table and gives the lowest rate of writes."""
    store = await profiles_factory.open_profiles(settings)
    table = Table("tags over", "tags/s", "CPU us/tag here", "ms/batch, slowest", "reads/s", title=type(store).__name__)
    rates = []
    for name, cookies in CASES.items():
        written, cpu, slowest = await write(store, cookies, batches)
        rates.append(written)
        row = (f"{written:,.0f}", f"{cpu:.1f}", f"{slowest:.0f}", f"{await read(store, cookies, reads):,.0f}")
        table.add_row(name, *row)
    await store.wipe()
    await store.close()
    Console().print(table)
    return min(rates)


async def write(store: ProfileStore, cookies: int, batches: int) -> tuple[float, float, float]:
    """Tags a second, microseconds of this process's CPU a tag, milliseconds of the slowest batch."""
    chosen = random.Random(cookies)  # noqa: S311
    count = WRITES_A_BATCH * batches
    writes = [tag(chosen, cookies, number) for number in range(count)]
    began, cpu, slowest = time.perf_counter(), time.process_time(), 0.0
    for start in range(0, count, WRITES_A_BATCH):
        before = time.perf_counter()
        await store.add(writes[start : start + WRITES_A_BATCH])
        slowest = max(slowest, time.perf_counter() - before)
    took = time.perf_counter() - began
    return count / took, (time.process_time() - cpu) / count * 1e6, slowest * 1000


def tag(chosen: random.Random, cookies: int, number: int) -> ProfileWrite:
    action = "VIEW" if chosen.random() < 0.9 else "BUY"
    key = profiles.entry_key(NOON + number, None, number % 4, number)
    return ProfileWrite(f"{cookies} {chosen.randrange(cookies)}", action, key, chosen.randbytes(VALUE_BYTES))


async def read(store: ProfileStore, cookies: int, reads: int) -> float:
    """Whole profiles a second, one after the other."""
    chosen = random.Random(cookies)  # noqa: S311
    began = time.perf_counter()
    for _ in range(reads):
        await store.read(f"{cookies} {chosen.randrange(cookies)}", 0, 2 * NOON, profiles.KEPT)
    return reads / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
