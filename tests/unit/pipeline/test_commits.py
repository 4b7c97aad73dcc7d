"""docs/design.md 2.5: Kafka is told after the store, for lag tools alone."""

import asyncio
from collections.abc import Mapping

import pytest
from aiokafka.errors import CommitFailedError, KafkaConnectionError
from structlog.testing import capture_logs

from pipeline.commits import Committer
from pipeline.errors import TopicReplaced
from tests.support import eventually
from tests.support.fakes.log import FakeLog


class Kafka:
    """Remembers what it was told; fails with `failures` first."""

    def __init__(self, *failures: Exception) -> None:
        self.told: list[dict[int, int]] = []
        self.failures = list(failures)

    async def commit(self, ends: Mapping[int, int]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.told.append(dict(ends))


async def test_only_the_newest_offsets_are_told_and_only_once() -> None:
    kafka = Kafka()
    committer = Committer(kafka, FakeLog())
    committer.note({0: 5, 1: 2})
    committer.note({0: 9})
    await committer.commit()
    await committer.commit()
    assert kafka.told == [{0: 9, 1: 2}]


async def test_kafka_is_never_told_of_nothing() -> None:
    kafka = Kafka()
    await Committer(kafka, FakeLog()).commit()
    assert kafka.told == []


@pytest.mark.parametrize("failure", [CommitFailedError(), KafkaConnectionError("away")])
async def test_a_failure_is_made_good_by_the_next_commit_without_going_back(failure: Exception) -> None:
    kafka = Kafka(failure)
    committer = Committer(kafka, FakeLog())
    committer.note({0: 5, 1: 1})
    await committer.commit()
    committer.note({0: 7})
    await committer.commit()
    assert kafka.told == [{0: 7, 1: 1}]


async def test_a_failure_is_told_in_words_that_quote_nothing() -> None:
    failure = KafkaConnectionError("cookie-17")
    failure.__context__ = KeyError("cookie-17")
    committer = Committer(Kafka(failure), FakeLog())
    committer.note({0: 5})
    with capture_logs() as logs:
        await committer.commit()
    assert [log["error"].partition(":")[0] for log in logs] == ["KafkaConnectionError"]
    assert "cookie-17" not in str(logs)


async def test_a_new_place_that_is_noted_while_kafka_is_asked_is_what_kafka_is_told() -> None:
    """The partition went to others and came back: the older offset would take the group back."""
    kafka, topic = Kafka(), FakeLog()
    committer = Committer(kafka, topic)
    committer.note({0: 5})
    committing = asyncio.create_task(committer.commit())
    await asyncio.sleep(0)
    assert topic.questions == 1
    committer.note({0: 9})
    await committing
    assert kafka.told == [{0: 9}]


async def test_what_was_noted_of_a_place_that_was_left_is_not_told() -> None:
    """Others have partition 1 now, and are further on."""
    kafka = Kafka()
    committer = Committer(kafka, FakeLog())
    committer.note({0: 5, 1: 5})
    committer.note({})
    committer.note({0: 3})
    await committer.commit()
    assert kafka.told == [{0: 3}]


async def test_nothing_is_told_where_the_place_was_left_while_kafka_was_asked() -> None:
    kafka, topic = Kafka(), FakeLog()
    committer = Committer(kafka, topic)
    committer.note({0: 5})
    committing = asyncio.create_task(committer.commit())
    await asyncio.sleep(0)
    committer.note({})
    await committing
    assert kafka.told == []


async def test_a_commit_that_failed_is_not_made_good_for_a_place_that_was_left_meanwhile() -> None:
    committer: Committer

    class Slow(Kafka):
        async def commit(self, ends: Mapping[int, int]) -> None:
            if not self.told:
                self.told.append(dict(ends))
                committer.note({})
                committer.note({1: 1})
                raise CommitFailedError
            await super().commit(ends)

    kafka = Slow()
    committer = Committer(kafka, FakeLog())
    committer.note({0: 5})
    await committer.commit()
    await committer.commit()
    assert kafka.told == [{0: 5}, {1: 1}]


async def test_it_tells_kafka_again_and_again() -> None:
    kafka = Kafka()
    committer = Committer(kafka, FakeLog(), interval_s=0.001)
    running = asyncio.create_task(committer.run())
    for end in (1, 2, 3):
        committer.note({0: end})
        await eventually.until(lambda end=end: len(kafka.told) == end)  # type: ignore[misc]
    running.cancel()
    assert kafka.told == [{0: 1}, {0: 2}, {0: 3}]


async def test_a_topic_made_anew_is_never_told_the_offsets_of_the_old_one() -> None:
    kafka, topic = Kafka(), FakeLog()
    committer = Committer(kafka, topic)
    committer.note({0: 5})
    topic.replaced = True
    with pytest.raises(TopicReplaced):
        await committer.commit()
    assert kafka.told == []
