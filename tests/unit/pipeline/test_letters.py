"""A record that is stepped over is followed by the trace id of the request that it comes from."""

from pathlib import Path

from structlog.testing import capture_logs

from pipeline import letters
from tests.support.fakes.counting import Counting
from tests.support.fakes.log import FakeLog, Record, value
from tests.support.fakes.postgres import FakePostgres

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = [("other", b"x"), ("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01".encode())]


def of(record: Record, reason: str = letters.UNDECODABLE, detail: str = "why") -> letters.Letter:
    return letters.of_record(0, record, reason, detail)


def test_a_letter_keeps_the_trace_of_its_record() -> None:
    letter = of(Record(7, b"k", b"v", headers=HEADERS))
    assert (letter.trace_id, letter.detail) == (TRACE, f"why (trace {TRACE})")


def test_a_record_without_a_trace_is_a_letter_as_well() -> None:
    for headers in ([], [("traceparent", b"cookie-17")], [("traceparent", None)]):
        letter = of(Record(7, b"k", b"v", headers=headers))
        assert (letter.trace_id, letter.detail) == (None, "why")


def test_what_a_store_says_of_an_event_is_kept_but_not_logged() -> None:
    letter = of(Record(7, b"k", b"v", headers=HEADERS), letters.REFUSED, "cookie-17 is no integer")
    assert "cookie-17" in letter.detail
    assert letter.said == f"refused_by_store (trace {TRACE})"


def test_of_one_write_so_many_letters_are_told_and_how_many_more_there_are() -> None:
    many = [of(Record(offset, None, None, headers=HEADERS)) for offset in range(letters.LINES + 5)]
    with capture_logs() as logs:
        letters.tell(many)
    assert [log["offset"] for log in logs[:-1]] == list(range(letters.LINES))
    assert {log["trace_id"] for log in logs[:-1]} == {TRACE}
    assert (logs[-1]["event"], logs[-1]["letters"]) == ("more dead letters", 5)


async def test_a_letter_is_told_once_however_often_its_write_was_made() -> None:
    """A value that the store refuses makes the whole write again, in halves."""
    log, server = FakeLog(), FakePostgres()
    counting = Counting(log, server)
    log.fill(0, 5)
    log.records[0] += [
        Record(5, b"k", b"no record", headers=HEADERS),
        Record(6, b"k", value(0, 6, origin="a\0b"), headers=HEADERS),
    ]
    log.ends[0] = 7
    log.fill(0, 5)
    await counting.place(0)
    with capture_logs() as logs:
        await counting.finish()

    told = [(line["offset"], line["trace_id"]) for line in logs if line["event"] == "dead letter"]
    assert sorted(told) == [(5, TRACE), (6, TRACE)]
    assert all(TRACE in letter.detail for letter in counting.letters.values())


async def test_of_a_write_that_the_store_refuses_again_and_again_as_many_are_told_as_of_any() -> None:
    """Every second value is refused, so each letter is stored in a transaction of its own."""
    counting, refused = Counting(FakeLog(), FakePostgres()), letters.LINES + 5
    for offset in range(0, 2 * refused, 2):
        counting.log.append(0, value(0, offset, origin="a\0b"))
        counting.log.fill(0, 1)
    await counting.place(0)
    await counting.take(0)
    with capture_logs() as logs:
        await counting.sink.write()

    assert len(counting.letters) == refused
    told = [line for line in logs if line["log_level"] == "warning"]
    assert [line["event"] for line in told] == ["dead letter"] * letters.LINES + ["more dead letters"]
    assert told[-1]["letters"] == 5


def test_an_undecodable_record_is_told_with_its_trace_once() -> None:
    with capture_logs() as logs:
        letters.tell([of(Record(7, b"k", b"v", headers=HEADERS))])
    assert [(line["detail"], line["trace_id"]) for line in logs] == [("why", TRACE)]


def test_nothing_looks_at_headers_for_each_event() -> None:
    """It would cost more than folding an event does: only where something is said of one record."""
    package = Path(letters.__file__).parent
    found = {path.name for path in package.glob("*.py") if ".headers" in path.read_text("utf-8")}
    assert found == {"letters.py"}
