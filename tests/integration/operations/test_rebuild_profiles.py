"""Profiles come back from the topic byte for byte, beside running workers, and as often as is asked for."""

import asyncio
import json
import signal
from pathlib import Path

import msgspec
import pytest

from schemas import codec
from stores import dead_letters, offsets
from stores.dead_letters import Letter
from tests.integration.operations.installation import BROKEN, HOUR, HOUR_MS, Installation, some_tags, tag
from tests.support import tags as json_tags

# 20 cookies of two actions: more than 200 tags of each.
MANY = 12_000


async def test_wiped_and_rebuilt_profiles_are_what_they_were_byte_for_byte(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    tags = [msgspec.structs.replace(each, event_id=f"id-{each.price}") for each in some_tags(100, seed=2)]
    installation.produce([*some_tags(MANY), *tags, *tags, BROKEN])
    await installation.take_profiles()
    before = await installation.profiles()
    await installation.execute("UPDATE profile_tags SET value = '' WHERE cookie = 'cookie-3'")
    await installation.execute("INSERT INTO profile_tags VALUES ('nobody', 'VIEW', '\\x00', '')")

    assert await installation.operate("rebuild-profiles", "--wipe") == 0

    assert await installation.profiles() == before
    assert f"{MANY + 201} records read, 1 of them dead letters, 0 replayed" in capsys.readouterr().out


async def test_without_a_wipe_what_is_missing_comes_back_and_the_rest_stays(installation: Installation) -> None:
    installation.produce(some_tags(1_000))
    await installation.take_profiles()
    before = await installation.profiles()
    await installation.execute("DELETE FROM profile_tags WHERE action = 'BUY'")

    assert await installation.operate("rebuild-profiles") == 0
    assert await installation.operate("rebuild-profiles") == 0

    assert await installation.profiles() == before


async def test_beside_a_working_worker_nothing_is_missing_afterwards(installation: Installation) -> None:
    tags = some_tags(6_000)
    installation.produce(tags[:2_000])
    with installation.worker("profiles"):
        sending = asyncio.to_thread(installation.produce_slowly, tags[2_000:])
        work = [sending, installation.operate("rebuild-profiles", "--wipe"), installation.operate("rebuild-profiles")]
        assert (await asyncio.gather(*work))[1:] == [0, 0]
        await installation.wait_until_taken()
    found = await installation.profiles()

    await installation.execute("TRUNCATE profile_tags")
    await installation.take_profiles()
    assert found == await installation.profiles()


async def test_killed_in_the_middle_it_can_be_run_again(installation: Installation) -> None:
    installation.produce(some_tags(MANY))  # several writes: the server ends the one that it has been told in full
    await installation.take_profiles()
    before = await installation.profiles()
    cookie, action, key, value = before[len(before) // 2]
    await installation.execute("TRUNCATE profile_tags")

    async with installation.connection() as conn, conn.transaction(force_rollback=True):
        await conn.execute("INSERT INTO profile_tags VALUES (%s, %s, %s, %s)", (cookie, action, key, value))
        with installation.process("rebuild-profiles") as process:
            await installation.wait_for_lock("allezone profiles")
            process.send_signal(signal.SIGKILL)
            process.wait()
    await installation.wait_until_alone()
    assert await installation.profiles() != before

    assert await installation.operate("rebuild-profiles") == 0
    assert await installation.profiles() == before


async def test_replayed_letters_come_back_as_they_were_mended_and_waiting_ones_do_not(
    installation: Installation, tmp_path: Path
) -> None:
    late = tag((HOUR + 1) * HOUR_MS, cookie="late")
    installation.produce([BROKEN, BROKEN, late])
    topic = installation.topic()
    places = [(0, 0, BROKEN), (1, 0, BROKEN), (0, 1, codec.encode_tag(late))]
    async with installation.connection() as conn:
        await dead_letters.write(
            conn,
            offsets.Consumer("profiles", topic.name, topic.id),
            [Letter(partition, offset, None, value, "refused_by_store", "") for partition, offset, value in places],
        )
    first, _waiting, _readable = await installation.letters()
    (tmp_path / "tag.json").write_text(json.dumps(json_tags.tag()))
    await installation.operate("dead-letters", "mend", str(first), "--value-json", str(tmp_path / "tag.json"))
    await installation.operate("dead-letters", "replay", "--group", "profiles", str(first))
    before = await installation.profiles()

    assert await installation.operate("rebuild-profiles", "--wipe") == 0

    assert [cookie for cookie, *_ in before] == ["cookie-1"]
    assert await installation.profiles() == before


async def test_no_group_is_touched(installation: Installation) -> None:
    installation.produce(some_tags(100))
    before = installation.groups()

    await installation.operate("rebuild-profiles")

    assert installation.groups() == before


async def test_a_wipe_that_the_topic_cannot_make_good_is_refused_unless_that_is_meant(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.produce(some_tags(10))
    await installation.take_profiles()
    before = await installation.profiles()
    installation.delete_records({0: 2})

    assert await installation.operate("rebuild-profiles", "--wipe") == 1
    assert "does not hold its beginning" in capsys.readouterr().err
    assert await installation.operate("rebuild-profiles") == 0
    assert await installation.profiles() == before

    assert await installation.operate("rebuild-profiles", "--wipe", "--from-truncated-log") == 0
    assert len(await installation.profiles()) == 8


async def test_a_topic_that_is_empty_leaves_nothing(installation: Installation) -> None:
    assert await installation.operate("rebuild-profiles", "--wipe") == 0
    assert await installation.profiles() == []
