"""Whole hours are counted again exactly, whatever was stored before and whoever counts meanwhile."""

import asyncio
import signal

import pytest

from tests.integration.operations.installation import (
    BROKEN,
    HOUR,
    HOUR_MS,
    HOUR_NAME,
    Installation,
    some_tags,
    sums_of,
    tag,
)

BOTH_HOURS = ("rebuild-aggregates", "--from-hour", HOUR_NAME, "--to-hour", "2022-03-22T14")
ONE_HOUR = BOTH_HOURS[:3]


async def test_hours_that_were_damaged_are_right_again(installation: Installation) -> None:
    tags = some_tags(3_000)
    installation.produce([*tags, BROKEN])
    await installation.count()
    await installation.execute("DELETE FROM aggregate_deltas WHERE action = 'BUY'")
    await installation.execute("UPDATE aggregate_deltas SET count = count + 7, sum_price = 0")
    await installation.execute("DELETE FROM minute_totals WHERE partition = 1")

    assert await installation.operate(*BOTH_HOURS) == 0

    assert await installation.sums() == sums_of(tags)


async def test_only_the_hours_asked_for_change(installation: Installation) -> None:
    tags = some_tags(1_000)
    installation.produce(tags)
    await installation.count()
    await installation.execute("TRUNCATE aggregate_deltas, minute_totals")

    assert await installation.operate(*ONE_HOUR) == 0

    assert await installation.sums() == sums_of(each for each in tags if each.time // HOUR_MS == HOUR)


async def test_what_nobody_has_counted_yet_is_left_to_the_worker(installation: Installation) -> None:
    first, second = some_tags(500), some_tags(500, seed=2)
    installation.produce(first)
    await installation.count()
    installation.produce(second)

    assert await installation.operate(*BOTH_HOURS) == 0
    assert await installation.sums() == sums_of(first)

    await installation.count()
    assert await installation.sums() == sums_of([*first, *second])


async def test_a_worker_counts_on_meanwhile_and_nothing_is_lost_or_doubled(installation: Installation) -> None:
    first, second = some_tags(2_000), some_tags(20_000, seed=2)
    installation.produce(first)
    with installation.worker():
        await installation.wait_until_counted(len(first))
        sending = asyncio.to_thread(installation.produce_slowly, second)
        rebuilding = [installation.operate(*BOTH_HOURS) for _ in range(3)]
        assert (await asyncio.gather(sending, *rebuilding))[1:] == [0, 0, 0]
        assert await installation.operate(*BOTH_HOURS) == 0
        await installation.wait_until_counted(len(first) + len(second))

    assert await installation.sums() == sums_of([*first, *second])


async def test_a_flush_that_waits_for_a_rebuild_goes_through_behind_it(installation: Installation) -> None:
    first, second = some_tags(500), some_tags(500, seed=2)
    installation.produce(first)
    await installation.count()
    installation.produce(second)
    async with installation.connection() as conn, conn.transaction():
        await conn.execute("SELECT FROM pipeline_offsets FOR UPDATE")
        rebuild = asyncio.create_task(installation.operate(*BOTH_HOURS))
        await installation.wait_for_lock("allezone rebuild-aggregates")
        counting = asyncio.create_task(installation.count())
        await installation.wait_for_lock("allezone")

    await counting
    assert await rebuild == 0
    assert await installation.sums() == sums_of([*first, *second])


async def test_killed_in_the_middle_it_changed_nothing_and_can_be_run_again(installation: Installation) -> None:
    tags = some_tags(1_000)
    installation.produce(tags)
    await installation.count()
    await installation.execute("UPDATE aggregate_deltas SET count = count + 1")
    await installation.execute("UPDATE minute_totals SET count = count + 1")
    damaged = await installation.rows("SELECT * FROM aggregate_deltas ORDER BY 1, 2, 3, 4, 5")

    async with installation.connection() as conn, conn.transaction():
        await conn.execute("SELECT FROM pipeline_offsets FOR UPDATE")
        with installation.process(*BOTH_HOURS) as process:
            await installation.wait_for_lock("allezone rebuild-aggregates")
            process.send_signal(signal.SIGKILL)

    assert await installation.rows("SELECT * FROM aggregate_deltas ORDER BY 1, 2, 3, 4, 5") == damaged
    assert await installation.operate(*BOTH_HOURS) == 0
    assert await installation.sums() == sums_of(tags)


async def test_interrupted_it_ends_with_a_sentence_and_changed_nothing(installation: Installation) -> None:
    tags = some_tags(100)
    installation.produce(tags)
    await installation.count()

    async with installation.connection() as conn, conn.transaction():
        await conn.execute("SELECT FROM pipeline_offsets FOR UPDATE")
        with installation.process(*BOTH_HOURS) as process:
            await installation.wait_for_lock("allezone rebuild-aggregates")
            process.send_signal(signal.SIGINT)
            _out, said = await asyncio.to_thread(process.communicate)

    assert process.returncode == 130
    assert "interrupted; it is safe to run this again" in said
    assert "Traceback" not in said
    assert await installation.sums() == sums_of(tags)


async def test_a_dead_letter_that_waits_is_not_counted_even_if_it_could_be_read(installation: Installation) -> None:
    tags = some_tags(100)
    installation.produce(tags)
    await installation.count()
    topic = installation.topic()
    await installation.execute(
        'INSERT INTO dead_letters (consumer_group, topic, topic_id, partition, "offset", value, reason, detail)'
        " VALUES ('aggregates', %s, %s, 0, 0, '', 'refused_by_store', '')",
        topic.name,
        topic.id,
    )

    assert await installation.operate(*BOTH_HOURS) == 0

    assert await installation.sums() == sums_of(tags[1:])


async def test_an_hour_without_any_event_left_ends_empty(installation: Installation) -> None:
    installation.produce([tag((HOUR + 1) * HOUR_MS)])
    await installation.count()

    assert await installation.operate(*ONE_HOUR) == 0

    assert await installation.sums() == sums_of([tag((HOUR + 1) * HOUR_MS)])


async def test_a_log_without_its_beginning_is_refused_unless_that_is_meant(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    tags = some_tags(10)
    installation.produce(tags)
    await installation.count()
    installation.delete_records({0: 2})

    assert await installation.operate(*BOTH_HOURS) == 1
    assert "does not begin at offset 0" in capsys.readouterr().err
    assert await installation.sums() == sums_of(tags)

    assert await installation.operate(*BOTH_HOURS, "--from-truncated-log") == 0
    assert await installation.sums() == sums_of([*tags[1:2], *tags[3:]])


async def test_an_hour_that_retention_dropped_is_refused(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.produce(some_tags(10))
    await installation.count()
    await installation.execute("UPDATE aggregate_hours SET dropped_at = now() WHERE hour = hour_start(%s)", HOUR)

    assert await installation.operate(*ONE_HOUR) == 1

    assert "was dropped by retention" in capsys.readouterr().err
