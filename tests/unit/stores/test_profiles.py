"""Entry keys sort by time and tell events apart; a batch is sifted to what can stay."""

import pytest

from stores import profiles
from stores.profiles import KEPT, ProfileWrite

TIMES = [-62_135_596_800_000, -1, 0, 1, 255, 256, 1_647_950_400_000, 253_402_300_799_999]


def write(number: int, *, cookie: str = "c", action: str = "VIEW", value: bytes = b"") -> ProfileWrite:
    return ProfileWrite(cookie, action, profiles.entry_key(number, None, 0, 0), value)


def test_keys_sort_as_their_times_do_whatever_follows() -> None:
    keys = [profiles.entry_key(time, None, 2**32 - 1, 2**64 - 1) for time in TIMES]

    assert keys == sorted(keys)
    assert all(len(key) == profiles.ENTRY_KEY_BYTES for key in keys)


def test_a_key_lies_between_the_ends_of_its_millisecond() -> None:
    for time in TIMES:
        for key in (profiles.entry_key(time, None, 0, 0), profiles.entry_key(time, "id", 0, 0)):
            assert profiles.range_end(time) <= key < profiles.range_end(time + 1)


def test_events_without_an_id_are_told_apart_by_where_they_lie() -> None:
    places = [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2**32), (2**32 - 1, 2**63)]

    assert len({profiles.entry_key(5, None, *place) for place in places}) == len(places)


def test_an_event_with_an_id_has_one_key_wherever_it_lies() -> None:
    keys = {profiles.entry_key(5, "order 7", *place) for place in [(0, 0), (3, 99)]}

    assert len(keys) == 1
    assert profiles.entry_key(5, "order 8", 0, 0) not in keys
    assert profiles.entry_key(6, "order 7", 0, 0) not in keys


@pytest.mark.parametrize("cookie", ["x", "ż" * 256, "🛒" * 128, " "])
def test_cookies_that_can_be_stored(cookie: str) -> None:
    assert profiles.storable(cookie)


@pytest.mark.parametrize("cookie", ["", "a\0", "x" * 513, "ż" * 257, "\udfff"])
def test_cookies_that_cannot(cookie: str) -> None:
    assert not profiles.storable(cookie)


def test_a_batch_is_sorted_and_each_entry_is_in_it_once_with_its_last_value() -> None:
    kept, refused = profiles.sift(
        [write(2, value=b"old"), write(1), write(5, action="BUY"), write(3, cookie="b"), write(2, value=b"new")]
    )

    assert kept == [write(3, cookie="b"), write(5, action="BUY"), write(1), write(2, value=b"new")]
    assert refused == []


def test_only_the_newest_of_a_cookie_and_action_are_worth_sending() -> None:
    few = [write(number, cookie="few") for number in range(3)]
    many = [write(number, cookie="many") for number in range(KEPT + 7)]
    buys = [write(number, cookie="many", action="BUY") for number in range(2)]

    kept, _ = profiles.sift([*many, *buys, *few])

    assert kept == [*few, *buys, *many[7:]]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (write(1, cookie=""), "no cookie"),
        (write(1, action="LOOK"), "no action 'LOOK'"),
        (ProfileWrite("c", "VIEW", b"short", b""), "20 bytes, not 5"),
    ],
)
def test_what_no_store_takes_is_refused_for_good(bad: ProfileWrite, reason: str) -> None:
    kept, [failure] = profiles.sift([bad, write(2)])

    assert kept == [write(2)]
    assert failure.write == bad
    assert failure.permanent
    assert reason in failure.reason
