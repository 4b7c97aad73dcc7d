"""Dead letters are shown, mended and replayed: once each, whoever else works on them."""

import asyncio
import json
import signal
from pathlib import Path

import msgspec
import pytest

from pipeline import replay
from schemas import codec
from stores import dead_letters, offsets
from stores.dead_letters import Letter
from tests.contract.flushes import letters_in_no_order
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
from tests.support import tags as json_tags

MENDED = tag(HOUR * HOUR_MS + 900_000, price=100)
"""What `json_tags.tag()` stands for."""
EXPECTED = msgspec.structs.replace(
    MENDED, cookie="cookie-1", origin="campaign-1", product_id="product-1", brand_id="brand-1", category_id="category-1"
)


@pytest.fixture
def mended(tmp_path: Path) -> str:
    """A file with a good tag."""
    file = tmp_path / "tag.json"
    file.write_text(json.dumps(json_tags.tag()))
    return str(file)


async def _with_letters(installation: Installation, count: int = 1) -> list[int]:
    """Some tags counted, and `count` broken records that became dead letters."""
    installation.produce([*some_tags(10), *[BROKEN] * count])
    await installation.count()
    return await installation.letters()


async def test_a_letter_is_listed_and_shown(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    [letter] = await _with_letters(installation)

    assert await installation.operate("dead-letters", "list") == 0
    listed = capsys.readouterr().out
    assert await installation.operate("dead-letters", "show", str(letter)) == 0
    shown = capsys.readouterr().out

    assert f"{letter}  aggregates  {installation.kafka.kafka_topic}/0@5" in listed
    assert "undecodable" in listed
    assert "1 of 1 letters that wait" in listed
    assert "text: no avro" in shown
    assert BROKEN.hex() in shown


async def test_a_list_is_of_the_group_asked_for_and_bounded(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    await _with_letters(installation, 5)

    assert await installation.operate("dead-letters", "list", "--group", "profiles") == 0
    assert "0 of 0 letters" in capsys.readouterr().out
    assert await installation.operate("dead-letters", "list", "--limit", "2") == 0
    assert "2 of 5 letters" in capsys.readouterr().out


async def test_a_mended_letter_is_counted_once(
    installation: Installation, mended: str, capsys: pytest.CaptureFixture[str]
) -> None:
    [letter] = await _with_letters(installation)

    assert await installation.operate("dead-letters", "mend", str(letter), "--value-json", mended) == 0
    assert await installation.operate("dead-letters", "replay") == 0
    assert await installation.operate("dead-letters", "replay") == 0
    assert await installation.operate("dead-letters", "replay", str(letter)) == 1
    assert await installation.operate("dead-letters", "mend", str(letter), "--value-json", mended) == 1

    assert await installation.sums() == sums_of([*some_tags(10), EXPECTED])
    assert await installation.letters() == []
    said = capsys.readouterr()
    assert "1 applied, 0 stay" in said.out
    assert "0 applied, 0 stay" in said.out
    assert said.err.count("was replayed") == 2


async def test_a_letter_that_fails_again_stays_and_is_reported(
    installation: Installation, mended: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = await _with_letters(installation, 2)
    await installation.operate("dead-letters", "mend", str(second), "--value-json", mended)

    assert await installation.operate("dead-letters", "replay") == 1

    assert await installation.letters() == [first]
    assert await installation.sums() == sums_of([*some_tags(10), EXPECTED])
    said = capsys.readouterr().out
    assert f"letter {first}: it still cannot be read" in said
    assert "1 applied, 1 stay" in said


async def test_only_the_letters_asked_for_are_replayed(installation: Installation, mended: str) -> None:
    letters = await _with_letters(installation, 3)
    for letter in letters:
        await installation.operate("dead-letters", "mend", str(letter), "--value-json", mended)

    assert await installation.operate("dead-letters", "replay", *map(str, letters[1:])) == 0

    assert await installation.letters() == letters[:1]
    assert await installation.sums() == sums_of([*some_tags(10), EXPECTED, EXPECTED])


async def test_two_replays_at_once_count_each_letter_once(installation: Installation, mended: str) -> None:
    letters = await _with_letters(installation, 20)
    for letter in letters:
        await installation.operate("dead-letters", "mend", str(letter), "--value-json", mended)

    replays = [installation.operate("dead-letters", "replay") for _ in range(3)]
    assert await asyncio.gather(*replays) == [0, 0, 0]

    assert await installation.sums() == sums_of([*some_tags(10), *[EXPECTED] * 20])
    assert await installation.letters() == []


async def test_a_replay_killed_half_way_through_a_letter_has_applied_nothing_of_it(
    installation: Installation, mended: str
) -> None:
    [letter] = await _with_letters(installation)
    await installation.operate("dead-letters", "mend", str(letter), "--value-json", mended)

    async with installation.connection() as conn, conn.transaction():
        await conn.execute("LOCK TABLE minute_totals IN SHARE MODE")  # the row is in, the total is not
        with installation.process("dead-letters", "replay") as process:
            await installation.wait_for_lock("allezone dead-letters")
            process.send_signal(signal.SIGKILL)
            process.wait()

    await installation.wait_until_alone()
    assert await installation.sums() == sums_of(some_tags(10))
    assert await installation.operate("dead-letters", "replay") == 0
    assert await installation.sums() == sums_of([*some_tags(10), EXPECTED])


async def test_a_letter_of_an_hour_that_is_missing_gets_the_hour(installation: Installation, tmp_path: Path) -> None:
    [letter] = await _with_letters(installation)
    later = tag((HOUR + 50) * HOUR_MS)
    (tmp_path / "value").write_bytes(codec.encode_tag(later))
    await installation.operate("dead-letters", "mend", str(letter), "--value-file", str(tmp_path / "value"))

    assert await installation.operate("dead-letters", "replay") == 0

    assert await installation.sums() == sums_of([*some_tags(10), later])


async def test_a_letter_of_a_dropped_hour_stays(
    installation: Installation, mended: str, capsys: pytest.CaptureFixture[str]
) -> None:
    [letter] = await _with_letters(installation)
    await installation.operate("dead-letters", "mend", str(letter), "--value-json", mended)
    await installation.execute("UPDATE aggregate_hours SET dropped_at = now() WHERE hour = hour_start(%s)", HOUR)

    assert await installation.operate("dead-letters", "replay") == 1

    assert "dropped by retention" in capsys.readouterr().out
    assert await installation.letters() == [letter]


async def test_a_value_that_postgresql_refuses_stays(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [letter] = await _with_letters(installation)
    (tmp_path / "value").write_bytes(codec.encode_tag(tag(HOUR * HOUR_MS, origin="a\0b")))
    await installation.operate("dead-letters", "mend", str(letter), "--value-file", str(tmp_path / "value"))

    assert await installation.operate("dead-letters", "replay") == 1

    assert "PostgreSQL refuses it" in capsys.readouterr().out
    assert await installation.letters() == [letter]
    assert await installation.sums() == sums_of(some_tags(10))


async def test_a_letter_with_a_text_too_long_for_an_index_stays(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [letter] = await _with_letters(installation)
    endless = msgspec.structs.replace(MENDED, origin=letters_in_no_order(4_000))
    (tmp_path / "value").write_bytes(codec.encode_tag(endless))
    await installation.operate("dead-letters", "mend", str(letter), "--value-file", str(tmp_path / "value"))

    assert await installation.operate("dead-letters", "replay") == 1

    assert await installation.letters() == [letter]
    assert await installation.sums() == sums_of(some_tags(10))
    said = capsys.readouterr().out
    assert f"letter {letter}: PostgreSQL refuses it: index row size" in said
    assert "0 applied, 1 stay" in said


async def test_what_the_api_would_refuse_is_refused_here(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [letter] = await _with_letters(installation)
    (tmp_path / "tag.json").write_bytes(json_tags.body(price="1"))

    assert await installation.operate("dead-letters", "mend", str(letter), "--value-json", f"{tmp_path}/tag.json") == 1

    assert "price" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["show", "99"], 1, "there is no dead letter 99"),
        (["replay", "99"], 1, "there is no dead letter 99"),
        (["replay", "--group", "nobody"], 2, "--group is aggregates or profiles, not nobody"),
        (["mend", "1", "--value-json", "/nowhere"], 1, "/nowhere cannot be read"),
        (["replay", "--group", "profiles", "1"], 1, "is one of group aggregates, not of profiles"),
    ],
)
async def test_what_cannot_be_done_gets_a_sentence(
    installation: Installation,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    complaint: str,
) -> None:
    await _with_letters(installation)

    assert await installation.operate("dead-letters", *arguments) == status

    assert complaint in capsys.readouterr().err


async def test_a_replayed_letter_of_the_profiles_is_an_entry(installation: Installation, mended: str) -> None:
    installation.produce([BROKEN])
    topic = installation.topic()
    whose = offsets.Consumer("profiles", topic.name, topic.id)
    async with installation.connection() as conn:
        await dead_letters.write(conn, whose, [Letter(0, 0, b"key", BROKEN, "undecodable", "")])
    [letter] = await installation.letters()
    await installation.operate("dead-letters", "mend", str(letter), "--value-json", mended)

    assert await installation.operate("dead-letters", "replay", "--group", "profiles") == 0

    [(cookie, action, _key, value)] = await installation.profiles()
    assert (cookie, action, codec.decode_tag(value)) == ("cookie-1", "VIEW", EXPECTED)
    assert await installation.letters() == []


async def test_a_rebuild_counts_replayed_letters_by_what_they_were_mended_to(
    installation: Installation, mended: str
) -> None:
    replayed, _waiting = await _with_letters(installation, 2)
    await installation.operate("dead-letters", "mend", str(replayed), "--value-json", mended)
    await installation.operate("dead-letters", "replay", str(replayed))
    await installation.execute("TRUNCATE aggregate_deltas, minute_totals")

    rebuild = ("rebuild-aggregates", "--from-hour", HOUR_NAME, "--to-hour", "2022-03-22T14")
    assert await installation.operate(*rebuild) == 0

    assert await installation.sums() == sums_of([*some_tags(10), EXPECTED])


async def test_a_replay_beside_a_rebuild_is_counted_once(installation: Installation, mended: str) -> None:
    letters = await _with_letters(installation, 10)
    for letter in letters:
        await installation.operate("dead-letters", "mend", str(letter), "--value-json", mended)

    rebuild = ("rebuild-aggregates", "--from-hour", HOUR_NAME, "--to-hour", "2022-03-22T14")
    work = [
        installation.operate(*rebuild),
        installation.operate("dead-letters", "replay"),
        installation.operate(*rebuild),
    ]
    assert await asyncio.gather(*work) == [0, 0, 0]

    assert await installation.sums() == sums_of([*some_tags(10), *[EXPECTED] * 10])


async def test_a_rebuild_waits_for_a_replay_under_way(installation: Installation, mended: str) -> None:
    [letter] = await _with_letters(installation)
    await installation.operate("dead-letters", "mend", str(letter), "--value-json", mended)

    async with installation.connection() as conn, conn.transaction():
        claimed = await dead_letters.claim(conn, letter)
        assert claimed is not None
        await replay.Aggregates(1_000).apply(conn, claimed)
        rebuild = asyncio.create_task(installation.operate("rebuild-aggregates", "--from-hour", HOUR_NAME))
        await installation.wait_for_lock("allezone rebuild-aggregates")

    assert await rebuild == 0
    assert await installation.sums() == sums_of([*some_tags(10), EXPECTED])
