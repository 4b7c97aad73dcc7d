"""Each place takes its own form of time, strictly, and says which."""

from collections.abc import Callable

import pytest

from schemas import errors, timestamps


def test_a_tag_time_is_utc_with_milliseconds_and_z() -> None:
    assert timestamps.parse_tag_time("2022-03-22T12:15:00.000Z") == 1_647_951_300_000
    assert timestamps.format_tag_time(1_647_951_300_001) == "2022-03-22T12:15:00.001Z"


def test_times_before_1970_and_on_leap_days_are_ordinary() -> None:
    for text in ["1969-12-31T23:59:59.999Z", "2024-02-29T00:00:00.000Z", "0001-01-01T00:00:00.000Z"]:
        assert timestamps.format_tag_time(timestamps.parse_tag_time(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2022-03-22T12:15:00Z",
        "2022-03-22T12:15:00.000",
        "2022-03-22T12:15:00.0000Z",
        "2022-03-22T12:15:00.000z",
        "2022-03-22 12:15:00.000Z",
        "2022-03-22T12:15:00,000Z",
        "2022-03-22T12:15:00.000+00:00",
        "2022-03-22T24:00:00.000Z",
        "2022-03-22T12:60:00.000Z",
        "2022-03-22T12:15:60.000Z",
        "2022-02-29T12:15:00.000Z",
        "2022-13-01T12:15:00.000Z",
        "0000-01-01T00:00:00.000Z",
        "2022-W12-2T12:15:00.000Z",
        "٢٠٢٢-03-22T12:15:00.000Z",
        "2022-03-22T12:15:00.000Z\n",
        " 2022-03-22T12:15:00.000Z",
        "1647951300000",
    ],
)
def test_any_other_form_is_refused_and_the_message_shows_the_right_one_or_says_no_real_date(text: str) -> None:
    with pytest.raises(errors.InvalidTimestamp, match=r"2022-03-22T12:15:00\.000Z|no real date"):
        timestamps.parse_tag_time(text)


def test_a_range_of_profiles_takes_milliseconds_or_none() -> None:
    assert timestamps.parse_millis_time("2022-03-22T12:15:00.001") == 1_647_951_300_001
    assert timestamps.parse_millis_time("2022-03-22T12:15:00") == 1_647_951_300_000
    assert timestamps.format_millis_time(1_647_951_300_001) == "2022-03-22T12:15:00.001"


def test_a_range_of_aggregates_takes_whole_minutes() -> None:
    minute = timestamps.parse_minute("2022-03-22T12:15:00")
    assert minute == timestamps.minute_of(1_647_951_300_000) == 27_465_855
    assert timestamps.format_minute(minute) == "2022-03-22T12:15:00"
    with pytest.raises(errors.InvalidTimestamp, match="minute boundary"):
        timestamps.parse_minute("2022-03-22T12:15:01")


@pytest.mark.parametrize("parse", [timestamps.parse_millis_time, timestamps.parse_minute])
def test_ranges_take_no_z(parse: Callable[[str], int]) -> None:
    with pytest.raises(errors.InvalidTimestamp, match="form"):
        parse("2022-03-22T12:15:00Z")


def test_a_message_repeats_only_the_start_of_what_was_sent() -> None:
    with pytest.raises(errors.InvalidTimestamp) as caught:
        timestamps.parse_tag_time("x" * 10_000)
    assert len(str(caught.value)) < 150
