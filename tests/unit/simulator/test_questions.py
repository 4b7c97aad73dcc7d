from collections.abc import Iterator

import pytest

from simulator import names, questions, stream, times

START = times.parse("2022-03-22T12:15:00Z")
SOURCE = stream.Stream(1, 7, START, 10_000)


def _plan(rate: float = 1_000, source: stream.Stream = SOURCE) -> questions.Questions:
    return questions.Questions(source, rate, watched=source.cookies, held_minutes=20)


def _profiles(rate: float, first: int = 0, count: int = 5_000) -> Iterator[tuple[int, questions.ProfileQuestion]]:
    plan = _plan(rate)
    for serial in range(first + 9, first + count * 10, 10):
        question = plan.profile(serial)
        assert question is not None
        yield serial, question


def _aggregates(rate: float, minutes: int) -> Iterator[tuple[int, questions.AggregateQuestion]]:
    plan = _plan(rate)
    for serial in range(999, minutes * 60_000, 1_000):
        question = plan.aggregate(serial)
        assert question is not None
        yield serial, question


def test_one_profile_query_for_ten_tags_and_one_aggregates_query_for_a_thousand() -> None:
    plan = _plan()
    assert sum(plan.profile(serial) is not None for serial in range(10_000)) == 1_000
    assert sum(plan.aggregate(serial) is not None for serial in range(10_000)) == 10


def test_the_same_seed_asks_the_same() -> None:
    again = _plan(source=stream.Stream(1, 7, START, 10_000))
    plan = _plan()
    assert [plan.profile(n) for n in range(30_000)] == [again.profile(n) for n in range(30_000)]
    assert [plan.aggregate(n) for n in range(300_000)] == [again.aggregate(n) for n in range(300_000)]


@pytest.mark.parametrize("rate", [100, 1_000, 5_000])
def test_profiles_are_asked_for_up_to_ten_seconds_ago_in_event_time_and_in_sending_time(rate: float) -> None:
    for serial, question in _profiles(rate, first=60_000, count=500):
        if question.horizon:
            assert question.until <= SOURCE.time(question.horizon)
            assert serial - question.horizon >= 10 * 1_000
            assert serial - question.horizon >= 10 * rate


@pytest.mark.parametrize("rate", [100, 1_000, 5_000])
def test_aggregates_are_asked_for_up_to_a_minute_ago_in_event_time_and_in_sending_time(rate: float) -> None:
    for serial, question in _aggregates(rate, minutes=12):
        if question.horizon:
            assert question.end * times.MINUTE <= SOURCE.time(question.horizon)
            assert serial - question.horizon >= 60 * 1_000
            assert serial - question.horizon >= 60 * rate


def test_before_anything_is_old_enough_the_questions_are_about_nothing() -> None:
    absent = {SOURCE.absent_cookie(number) for number in range(1_000)}
    assert all(question.cookie in absent for _, question in _profiles(1_000, count=1_000))
    for _, question in _aggregates(1_000, minutes=1):
        assert question.origin is not None
        assert question.origin.startswith("no such")
        assert question.origin not in names.ORIGINS


def test_profile_queries_are_of_all_kinds() -> None:
    asked = [question for _, question in _profiles(1_000, first=60_000, count=2_000)]
    hot = {SOURCE.hot_cookie(rank) for rank in range(stream.HOT_COOKIES)}
    assert any(question.limit is None for question in asked)
    assert {question.limit for question in asked} >= set(range(1, 11))
    assert any(question.until - question.since < 5_000 and question.since < START + 20_000 for question in asked)
    assert any(question.cookie in hot for question in asked)
    assert any(question.cookie not in hot for question in asked)


def test_aggregates_queries_have_all_filters_lengths_and_columns() -> None:
    asked = [question for _, question in _aggregates(1_000, minutes=30) if question.horizon]
    given = {(bool(question.origin), bool(question.brand), bool(question.category)) for question in asked}
    assert len(given) == 8
    assert {question.end - question.first for question in asked} == set(range(1, 11))
    assert {question.columns for question in asked} == set(questions.COLUMNS)
    assert {question.action for question in asked} == {"VIEW", "BUY"}


def test_aggregates_queries_stay_within_the_minutes_held() -> None:
    for serial, question in _aggregates(1_000, minutes=40):
        if question.horizon:
            now = SOURCE.time(serial) // times.MINUTE
            assert question.first >= now - questions.held_minutes(20, 1_000)


def test_only_watched_users_are_asked_for() -> None:
    plan = questions.Questions(SOURCE, 1_000, watched=100, held_minutes=20)
    watched = {SOURCE.tag(n).cookie for n in range(60_000) if SOURCE.is_watched(n, 100)}
    absent = {SOURCE.absent_cookie(number) for number in range(1_000)}
    asked = {question.cookie for n in range(60_009, 80_000, 10) if (question := plan.profile(n)) is not None}
    assert asked <= watched | absent
    assert len(asked & watched) > 50
