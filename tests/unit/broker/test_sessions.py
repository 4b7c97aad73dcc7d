"""A session of the real client library ends when it was told to, though no broker is there, and reports on all."""

import asyncio

from confluent_kafka import KafkaError
from structlog.testing import capture_logs

from broker import sessions
from devstack import waiting

SECONDS = 10.0
CONFIG = sessions.config("127.0.0.1:1", timeout_ms=500, in_flight=10, linger_ms=0)
_ENDS = "kafka producer ended with events that were not acknowledged"


def _open(reported: list[sessions.Report]) -> sessions.Session:
    return sessions.Session(CONFIG, "user-tags", reported.extend, lambda _reason: None)


def _produce(session: sessions.Session, count: int) -> list[sessions.Future]:
    futures = [asyncio.get_running_loop().create_future() for _ in range(count)]
    for future in futures:
        session.produce(b"k", b"v", None, future)
    return futures


async def _until_ended(session: sessions.Session) -> None:
    async with asyncio.timeout(SECONDS):
        while not session.ended:  # noqa: ASYNC110 - a thread has no event to wait for
            await asyncio.sleep(0.01)


async def test_one_that_is_retired_ends_in_time_and_reports_on_every_event_once() -> None:
    reported: list[sessions.Report] = []
    session = _open(reported)
    futures = _produce(session, 3)

    with capture_logs() as logs:
        session.retire(0.2)
        await _until_ended(session)

    assert [future for future, _ in reported] == futures
    assert [error and error.code() for _, error in reported] == [KafkaError._PURGE_QUEUE] * 3  # noqa: SLF001
    assert [entry["events"] for entry in logs if entry["event"] == _ENDS] == [3]


async def test_one_that_has_nothing_to_report_ends_at_once() -> None:
    session = _open([])

    session.retire(SECONDS * 100)

    await _until_ended(session)


async def test_one_that_is_closed_has_reported_on_every_event_and_says_how_many_it_dropped() -> None:
    reported: list[sessions.Report] = []
    session = _open(reported)
    _produce(session, 3)

    assert await session.close(0.2) == 3

    assert len(reported) == 3
    assert session.ended


async def test_the_earliest_end_that_it_was_told_holds() -> None:
    session = _open([])
    _produce(session, 1)
    session.retire(0.2)

    session.retire(SECONDS * 100)

    await _until_ended(session)


def test_one_whose_event_loop_was_closed_ends_too() -> None:
    async def opened() -> sessions.Session:
        session = _open([])
        _produce(session, 3)
        return session

    session = asyncio.run(opened())

    assert waiting.until(lambda: session.ended, SECONDS)
