"""docs/design.md 3: Faust's settings, each of which was found by running without it."""

import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest
from faust.types import TP
from mode import CrashingSupervisor

from pipeline import app, transport
from tests.support.fakes.counting import settings


class Nowhere:
    """`transport.Seeker` of an app that is never started."""

    async def starts(self, partitions: set[int]) -> dict[int, int]:
        raise NotImplementedError

    def is_asking(self) -> bool:
        raise NotImplementedError

    def seek_failed(self, error: BaseException) -> None:
        raise error


@pytest.fixture
def made(tmp_path: Path) -> object:
    return app.make(settings(data_dir=str(tmp_path), buffered_batches=3, max_poll_records=77), "group", Nowhere())


def test_an_exception_in_the_agent_is_not_answered_by_restarting_it_in_place(made: object) -> None:
    assert made.conf.agent_supervisor is CrashingSupervisor  # type: ignore[attr-defined]


def test_its_consumer_delivers_batches(made: object) -> None:
    assert made.transport.Consumer is transport.BatchConsumer  # type: ignore[attr-defined]


def test_memory_is_bounded_by_batches_and_fetches(made: object) -> None:
    conf = made.conf  # type: ignore[attr-defined]
    assert (conf.stream_buffer_maxsize, conf.broker_max_poll_records, conf.consumer_max_fetch_size) == (3, 77, 1 << 20)


def test_it_serves_no_web_and_writes_nowhere_but_in_its_data_folder(made: object, tmp_path: Path) -> None:
    conf = made.conf  # type: ignore[attr-defined]
    assert not conf.web_enabled
    assert conf.datadir == tmp_path


def test_faust_itself_never_commits(made: object) -> None:
    assert made.conf.broker_commit_interval > 24 * 3600  # type: ignore[attr-defined]


def test_faust_keeps_no_account_of_single_offsets(made: object) -> None:
    async def take(_batch: object) -> None:
        raise NotImplementedError

    app.add_agent(made, "user-tags", take)
    [agent] = made.agents.values()  # type: ignore[attr-defined]
    assert agent.channel.acks is False


async def test_what_kafka_was_told_of_a_topic_with_another_id_is_no_place_in_this_one() -> None:
    old, new = uuid.uuid4(), uuid.uuid4()

    async def told_kafka(partitions: set[TP]) -> dict[TP, tuple[int, str]]:
        assert partitions == {TP("t", 0), TP("t", 1), TP("t", 2)}
        return {TP("t", 0): (7, str(old)), TP("t", 1): (9, str(new)), TP("t", 2): (5, "")}

    consuming = app.Consuming(SimpleNamespace(consumer=SimpleNamespace(told_kafka=told_kafka)), "t", new)
    assert await consuming.committed({0, 1, 2}) == {1: 9}
