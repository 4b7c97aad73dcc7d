from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from simulator import judge, oracle, stream, times, wire
from simulator.questions import AggregateQuestion, ProfileQuestion

START = times.parse("2022-03-22T12:15:00Z")
MINUTE = START // times.MINUTE
SOURCE = stream.Stream(1, 7, START, cookies=1, tie_every=10)
COOKIE = SOURCE.hot_cookie(0)
VIEWS = [serial for serial in range(3_000) if SOURCE.tag(serial).action == "VIEW"]


def _profiles(sure: Sequence[int], doubtful: Sequence[int] = ()) -> oracle.Profiles:
    profiles = oracle.Profiles()
    for serial in (*sure, *doubtful):
        profiles.doubt(COOKIE, "VIEW", (SOURCE.time(serial), serial))
    for serial in sure:
        profiles.settle(COOKIE, "VIEW", (SOURCE.time(serial), serial), stored=True)
    return profiles


def _expected(profiles: oracle.Profiles, **question: Any) -> judge.ProfileExpectation:
    asked = {"since": START, "until": START + 10_000, "horizon": 0} | question
    return judge.ProfileExpectation(ProfileQuestion(COOKIE, **asked), profiles, SOURCE.tag)


def _difference(expected: judge.Expectation, views: Sequence[int], buys: Sequence[int] = ()) -> str | None:
    tags = [[SOURCE.tag(serial) for serial in serials] for serials in (views, buys)]
    return expected.difference(msgspec.json.encode(wire.ProfileAnswer(COOKIE, *tags)))


def test_the_right_answer_is_newest_first_and_the_only_one() -> None:
    expected = _expected(_profiles(VIEWS[:20]))
    assert expected.answer == wire.ProfileAnswer(COOKIE, [SOURCE.tag(n) for n in VIEWS[:20][::-1]], [])
    assert _difference(expected, VIEWS[:20][::-1]) is None


@pytest.mark.parametrize(
    ("views", "told"),
    [
        (VIEWS[1:20][::-1], "19 views, expected 20; missing is"),
        (VIEWS[:21][::-1], "21 views, expected 20; one too many is"),
        ([*VIEWS[:20][::-1], VIEWS[0]], "21 views, expected 20; one too many is"),
        (VIEWS[:20], "views[0] is of"),
        ([VIEWS[30], *VIEWS[:19][::-1]], "views[0] is of"),
    ],
    ids=["one is missing", "one too many", "one twice", "oldest first", "another one"],
)
def test_a_wrong_list_is_told_apart(views: list[int], told: str) -> None:
    difference = _difference(_expected(_profiles(VIEWS[:20])), views)
    assert difference is not None
    assert difference.startswith(told)


def test_no_difference_names_the_user() -> None:
    difference = _difference(_expected(_profiles(VIEWS[:20])), VIEWS[:19][::-1])
    assert difference is not None
    assert COOKIE not in difference


def test_order_among_tags_of_one_millisecond_is_free() -> None:
    tie = next(n for n in range(9, 3_000, 20) if {n - 1, n} <= set(VIEWS) and SOURCE.tag(n) != SOURCE.tag(n - 1))
    expected = _expected(_profiles([tie - 1, tie]))
    assert _difference(expected, [tie, tie - 1]) is None
    assert _difference(expected, [tie - 1, tie]) is None
    assert _difference(expected, [tie, tie]) is not None
    cut = _expected(_profiles([tie - 1, tie]), limit=1)
    assert cut.answer is None
    assert _difference(cut, [tie]) is None
    assert _difference(cut, [tie - 1]) is None


def test_identical_tags_are_all_kept() -> None:
    copy = next(n for n in range(19, 3_000, 20) if {n - 1, n} <= set(VIEWS))
    expected = _expected(_profiles([copy - 1, copy]))
    assert _difference(expected, [copy, copy]) is None
    assert _difference(expected, [copy]) is not None


def test_two_hundred_are_kept() -> None:
    expected = _expected(_profiles(VIEWS[:500]))
    assert _difference(expected, VIEWS[300:500][::-1]) is None
    assert _difference(expected, VIEWS[301:500][::-1]) is not None


def test_the_limit_comes_after_the_range() -> None:
    until = SOURCE.time(VIEWS[431])
    expected = _expected(_profiles(VIEWS[:500]), since=SOURCE.time(VIEWS[420]), until=until, limit=3)
    in_range = [serial for serial in VIEWS[420:431] if SOURCE.time(serial) < until][::-1]
    assert _difference(expected, in_range[:3]) is None
    assert _difference(expected, in_range[:2]) is not None
    assert _difference(expected, []) is not None


def test_what_has_been_pushed_out_is_not_found_again_by_an_old_range() -> None:
    old = _expected(_profiles(VIEWS[:500]), until=SOURCE.time(VIEWS[299]))
    assert _difference(old, []) is None
    assert _difference(old, [VIEWS[298]]) is not None


def test_newer_tags_under_way_may_have_pushed_old_ones_out() -> None:
    """250 views up to the range's end, 30 behind it: 200 down to 170 of them may be left, and nothing in between is
    wrong."""
    expected = _expected(_profiles(VIEWS[:250], doubtful=VIEWS[250:280]), until=SOURCE.time(VIEWS[250]))
    sure = [n for n in VIEWS[:250] if SOURCE.time(n) < SOURCE.time(VIEWS[250])]
    pushing = 280 - len(sure)
    assert expected.answer is None
    for kept, right in [(200, True), (200 - pushing, True), (201, False), (199 - pushing, False)]:
        assert (_difference(expected, sure[-kept:][::-1]) is None) == right


def test_a_query_about_a_moving_stream_has_one_answer_only_with_room_to_spare() -> None:
    profiles = _profiles(VIEWS[:180])
    assert _expected(profiles, horizon=0).answer is not None
    assert _expected(profiles, horizon=5_000).answer is None
    assert _expected(_profiles(VIEWS[:120]), horizon=5_000).answer is not None


def test_a_tag_of_unknown_outcome_may_be_there_or_not_and_only_once() -> None:
    expected = _expected(_profiles(VIEWS[:10], doubtful=VIEWS[10:11]))
    assert expected.answer is None
    assert _difference(expected, VIEWS[:11][::-1]) is None
    assert _difference(expected, VIEWS[:10][::-1]) is None
    assert _difference(expected, [VIEWS[10], *VIEWS[:11][::-1]]) is not None
    assert _difference(expected, [VIEWS[10], *VIEWS[1:10][::-1]]) is not None


def test_what_has_been_forgotten_is_not_judged() -> None:
    source = stream.Stream(1, 7, START, cookies=1, tie_every=0)
    profiles = oracle.Profiles()
    for serial in range(2 * oracle.REMEMBERED + 1):
        profiles.doubt(COOKIE, "VIEW", (source.time(serial), serial))
        profiles.settle(COOKIE, "VIEW", (source.time(serial), serial), stored=True)
    question = ProfileQuestion(COOKIE, START, START + 1_000, horizon=1_000, settled=START + 1_000)
    assert not judge.ProfileExpectation(question, profiles, source.tag).judgeable


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"cookie": "c", "views": [], "buys": [], "more": 1}'])
def test_a_body_of_another_form_is_wrong(body: bytes) -> None:
    difference = _expected(_profiles([])).difference(body)
    assert difference is not None
    assert difference.startswith("not an answer of the right form")


def test_another_cookie_is_wrong() -> None:
    answer = wire.ProfileAnswer("another", [], [])
    assert _expected(_profiles([])).difference(msgspec.json.encode(answer)) is not None


def _aggregates(doubtful: Sequence[int] = ()) -> judge.AggregateExpectation:
    aggregates = oracle.Aggregates(held_minutes=20)
    for serial, price in enumerate((100, 20)):
        aggregates.doubt(serial, MINUTE, ("BUY", "o", "b", "c", price))
        aggregates.settle(serial, stored=True)
    for serial, price in enumerate(doubtful, 2):
        aggregates.doubt(serial, MINUTE, ("BUY", "o", "b", "c", price))
    question = AggregateQuestion(MINUTE, MINUTE + 2, "BUY", ("SUM_PRICE", "COUNT"), brand="b")
    return judge.AggregateExpectation(question, aggregates)


COLUMNS = ["1m_bucket", "action", "brand_id", "sum_price", "count"]
FIRST = ["2022-03-22T12:15:00", "BUY", "b", "120", "2"]
SECOND = ["2022-03-22T12:16:00", "BUY", "b", "0", "0"]


def _told(expected: judge.AggregateExpectation, columns: list[str], rows: list[list[str]]) -> str | None:
    return expected.difference(msgspec.json.encode({"columns": columns, "rows": rows}))


def test_the_right_rows_are_one_a_minute_with_zeros() -> None:
    assert _aggregates().answer == wire.AggregateAnswer(COLUMNS, [FIRST, SECOND])
    assert _told(_aggregates(), COLUMNS, [FIRST, SECOND]) is None


@pytest.mark.parametrize(
    ("columns", "rows", "told"),
    [
        ([*COLUMNS[:3], "count", "sum_price"], [FIRST, SECOND], "columns are"),
        (COLUMNS, [FIRST], "1 rows, expected 2"),
        (COLUMNS, [SECOND, FIRST], "row ['2022-03-22T12:16:00'"),
        (COLUMNS, [[*FIRST[:4], "3"], SECOND], "row ['2022-03-22T12:15:00'"),
        (COLUMNS, [[*FIRST[:3], "121", "2"], SECOND], "row ['2022-03-22T12:15:00'"),
        (COLUMNS, [[*FIRST[:3], "0120", "2"], SECOND], "row ['2022-03-22T12:15:00'"),
        (COLUMNS, [[*FIRST, "2"], SECOND], "row ['2022-03-22T12:15:00'"),
        (COLUMNS, [FIRST, [*SECOND[:3], "", "0"]], "row ['2022-03-22T12:16:00'"),
    ],
)
def test_wrong_aggregates_are_told_apart(columns: list[str], rows: list[list[str]], told: str) -> None:
    difference = _told(_aggregates(), columns, rows)
    assert difference is not None
    assert difference.startswith(told)


@pytest.mark.parametrize(
    ("figures", "right"),
    [
        (("120", "2"), True),
        (("127", "3"), True),
        (("117", "3"), True),
        (("124", "4"), True),
        (("121", "2"), False),
        (("125", "4"), False),
        (("128", "3"), False),
        (("124", "5"), False),
    ],
)
def test_tags_of_unknown_outcome_make_a_range(figures: tuple[str, str], right: bool) -> None:
    expected = _aggregates(doubtful=(7, -3))
    assert expected.answer is None
    assert (_told(expected, COLUMNS, [[*FIRST[:3], *figures], SECOND]) is None) == right
