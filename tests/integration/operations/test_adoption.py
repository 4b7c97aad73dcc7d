"""A topic that is another one, or shorter, than what was counted is gone on with when an operator says so."""

import pytest

from schemas.tags import UserTag
from stores import errors as store_errors
from tests.integration.operations.installation import HOUR_NAME, Installation, some_tags, sums_of

REBUILD = ("rebuild-aggregates", "--from-hour", HOUR_NAME, "--to-hour", "2022-03-22T14")


async def test_a_topic_made_anew_is_counted_from_its_beginning(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = some_tags(20), some_tags(10, seed=2)
    installation.produce(old)
    await installation.count()
    installation.replace_topic()
    installation.produce(new)
    with pytest.raises(store_errors.TopicReplaced, match="adopt-topic"):
        await installation.count()

    assert await installation.operate("adopt-topic") == 1
    assert "add --yes" in capsys.readouterr().err
    assert await installation.operate("adopt-topic", "--yes") == 0
    shown = capsys.readouterr().out
    await installation.count()

    assert "of another one" in shown
    assert await installation.sums() == sums_of([*old, *new])


async def test_hours_of_before_are_rebuilt_only_if_the_loss_is_meant(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = some_tags(20), some_tags(10, seed=2)
    installation.produce(old)
    await installation.count()
    installation.replace_topic()
    installation.produce(new)
    assert await installation.operate(*REBUILD) == 1
    assert "adopt-topic" in capsys.readouterr().err
    await installation.operate("adopt-topic", "--yes")
    await installation.count()

    assert await installation.operate(*REBUILD) == 1
    assert "made before the topic was adopted" in capsys.readouterr().err
    assert await installation.sums() == sums_of([*old, *new])

    assert await installation.operate(*REBUILD, "--from-truncated-log") == 0
    assert await installation.sums() == sums_of(new)


async def test_hours_made_since_are_rebuilt_as_ever(installation: Installation) -> None:
    installation.produce(some_tags(20, first_hour=400_000))
    await installation.count()
    installation.replace_topic()
    await installation.operate("adopt-topic", "--yes")
    new = some_tags(10)
    installation.produce(new)
    await installation.count()
    await installation.execute("DELETE FROM aggregate_deltas WHERE time > '2022-01-01'")

    assert await installation.operate(*REBUILD) == 0

    assert await installation.sums() == sums_of([*some_tags(20, first_hour=400_000), *new])


async def test_partitions_cut_short_go_on_at_their_end(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = some_tags(20), some_tags(10, seed=2)
    await _cut_short(installation, first)

    assert await installation.operate("adopt-topic", "--yes") == 2
    assert "--restart-at" in capsys.readouterr().err
    assert await installation.operate("adopt-topic", "--restart-at", "end", "--yes") == 0
    installation.produce(second)
    await installation.count()

    assert await installation.sums() == sums_of([*first, *second])


async def test_from_the_earliest_record_they_are_counted_twice_until_rebuilt(installation: Installation) -> None:
    tags = some_tags(20)
    await _cut_short(installation, tags)

    assert await installation.operate("adopt-topic", "--restart-at", "earliest", "--yes") == 0
    await installation.count()

    cut = tags[::2]  # partition 0
    assert await installation.sums() == sums_of([*tags, *cut])
    assert await installation.operate(*REBUILD, "--from-truncated-log") == 0
    assert await installation.sums() == sums_of(tags)


async def test_a_log_that_ends_below_what_was_counted_is_not_counted_again(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    tags = some_tags(20)
    await _cut_short(installation, tags)

    assert await installation.operate(*REBUILD) == 1

    assert "ends at offset 10, but everything below 15 was counted" in capsys.readouterr().err
    assert await installation.sums() == sums_of(tags)


async def test_nothing_to_adopt_is_said_and_nothing_changes(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    installation.produce(some_tags(10))
    await installation.count()

    assert await installation.operate("adopt-topic", "--yes") == 0

    assert "Nothing to adopt" in capsys.readouterr().out
    assert await installation.rows("SELECT FROM topic_adoptions") == []


async def test_while_workers_are_active_it_is_refused(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    with installation.worker():
        await installation.execute(
            "INSERT INTO pipeline_offsets (consumer_group, topic_id, partition, next_offset)"
            " VALUES ('aggregates', gen_random_uuid(), 0, 1)"
        )

        assert await installation.operate("adopt-topic", "--yes", "--wait", "0") == 1

    assert "has 1 members" in capsys.readouterr().err
    assert await installation.rows("SELECT FROM topic_adoptions") == []


async def test_without_its_topic_or_its_tables_it_ends_with_a_sentence(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    await installation.execute("DROP TABLE pipeline_offsets")
    assert await installation.operate("adopt-topic") == 1
    assert "python -m stores migrate" in capsys.readouterr().err

    installation.delete_topic()
    assert await installation.operate("adopt-topic") == 1
    assert "there is no topic" in capsys.readouterr().err


async def _cut_short(installation: Installation, tags: list[UserTag]) -> None:
    """Count `tags`, and have partition 0 counted beyond its end."""
    installation.produce(tags)
    await installation.count()
    await installation.execute("UPDATE pipeline_offsets SET next_offset = next_offset + 5 WHERE partition = 0")
