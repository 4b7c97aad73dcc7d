"""Profiles in PostgreSQL while PostgreSQL is away, and after it came back."""

import asyncio
from typing import Any

import pytest
from psycopg import AsyncConnection
from pydantic import SecretStr

from runtime.settings import DatabaseSettings
from stores import errors, pools, profiles_factory
from stores.postgres_profiles import PostgresProfiles
from stores.profiles import KEPT, Profile, ProfileWrite, entry_key
from stores.profiles_factory import ProfileStoreSettings


async def test_every_call_says_that_the_store_is_away() -> None:
    pool = pools.for_profiles("host=127.0.0.1 port=1", timeout_seconds=0.1)
    await pool.open()
    store = PostgresProfiles(pool)

    write = ProfileWrite("c", "VIEW", entry_key(1, None, 0, 0), b"tag")
    for call in (store.add([write]), store.read("c", 0, 9, KEPT), store.ping(), store.wipe()):
        with pytest.raises(errors.ProfileStoreUnavailable):
            await call
    await store.close()


async def test_a_connection_that_broke_meanwhile_is_replaced(
    database: DatabaseSettings, conn: AsyncConnection[Any]
) -> None:
    store = await profiles_factory.open_profiles(in_postgres(database))
    await store.ping()
    await conn.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    assert await store.read("c", 0, 9, KEPT) == Profile([], [])
    await store.close()


async def test_a_writer_stopped_in_mid_transaction_holds_up_nobody_but_for_the_same_entry(
    database: DatabaseSettings, conn: AsyncConnection[Any]
) -> None:
    store = await profiles_factory.open_profiles(in_postgres(database))
    writes = [ProfileWrite("c", "VIEW", entry_key(number, None, 0, 0), b"tag") for number in range(KEPT + 50)]
    await store.add(writes[:KEPT])

    async with conn.transaction(force_rollback=True):
        await conn.execute("DELETE FROM profile_tags WHERE entry_key < %s", (writes[20].entry_key,))
        await store.add(writes[KEPT:])  # trims the rows that the other has locked

    assert (await store.read("c", 0, KEPT + 50, KEPT)).views == [b"tag"] * KEPT
    await store.close()


async def test_a_writer_stopped_in_mid_write_does_not_hold_up_who_writes_the_same_entries_in_its_place(
    database: DatabaseSettings, conn: AsyncConnection[Any]
) -> None:
    store = await profiles_factory.open_profiles(in_postgres(database))
    writes = [ProfileWrite("c", "VIEW", entry_key(number, None, 0, 0), b"tag") for number in range(3)]
    await _stop_whoever_trims(conn)
    async with conn.transaction(force_rollback=True):
        await conn.execute("SELECT pg_advisory_xact_lock(1)")
        stopped = asyncio.create_task(store.add(writes))
        await _wait_until_somebody_waits(conn)

        async with await AsyncConnection.connect(database.conninfo(), autocommit=True) as successor:
            await successor.execute("SET lock_timeout = '5s'")
            for write in writes:
                await successor.execute(_SAME_ENTRY, (write.cookie, write.action, write.entry_key, b"again"))
        assert not stopped.done()
    await stopped
    await store.close()


_SAME_ENTRY = """
    INSERT INTO profile_tags VALUES (%s, %s, %s, %s)
    ON CONFLICT (cookie, action, entry_key) DO UPDATE SET value = excluded.value
"""


async def _stop_whoever_trims(conn: AsyncConnection[Any]) -> None:
    """From now on every trim stands still until advisory lock 1 is free."""
    await conn.execute(
        "CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END'"
    )
    await conn.execute(
        "CREATE TRIGGER stand_still BEFORE DELETE ON profile_tags FOR EACH STATEMENT EXECUTE FUNCTION stand_still()"
    )


async def _wait_until_somebody_waits(conn: AsyncConnection[Any]) -> None:
    async with asyncio.timeout(20):
        while True:
            waiting = await conn.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            if await waiting.fetchone() == (1,):
                return
            await asyncio.sleep(0.01)


def in_postgres(database: DatabaseSettings) -> ProfileStoreSettings:
    return ProfileStoreSettings(
        **database.model_dump(exclude={"db_password"}), db_password=SecretStr(database.db_password.get_secret_value())
    )
