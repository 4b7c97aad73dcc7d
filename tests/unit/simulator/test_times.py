import pytest

from simulator import times


@pytest.mark.parametrize(
    ("text", "millis"),
    [("1970-01-01T00:00:00.001Z", 1), ("2022-03-22T12:15:00", 1_647_951_300_000), ("2022-03-22", 1_647_907_200_000)],
)
def test_a_start_is_read_in_utc(text: str, millis: int) -> None:
    assert times.parse(text) == millis


def test_millis_and_minutes_are_written_as_the_contract_has_them() -> None:
    assert times.millis_text(1_647_951_300_007) == "2022-03-22T12:15:00.007"
    assert times.minute_text(1_647_951_300_000 // times.MINUTE) == "2022-03-22T12:15:00"


@pytest.mark.parametrize("launched", [1_700_000_000, 1_795_302_561, 1_900_000_001])
def test_runs_one_after_another_do_not_meet(launched: int) -> None:
    """The fastest rate that can be set, for ten seconds: the next run's first minute lies behind the last one's."""
    start, rate, seconds = times.default_start(launched), 60_000, 10
    last = start + rate * seconds - 1
    assert times.default_start(launched + seconds + 1) // times.MINUTE > last // times.MINUTE


def test_a_default_start_is_on_a_minute_and_in_the_past() -> None:
    for run_id in range(0, 4_000_000_000, 123_456_789):
        start = times.default_start(run_id)
        assert start % times.MINUTE == 0
        assert times.parse("1975-01-01") <= start < times.parse("2025-01-01")
