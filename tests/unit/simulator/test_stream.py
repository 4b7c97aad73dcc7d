import itertools
from collections import Counter

import msgspec
import pytest

from simulator import names, stream, times

START = times.parse("2022-03-22T12:15:00Z")


def _stream(seed: int = 1, run_id: int = 7, cookies: int = 10_000, tie_every: int = 100) -> stream.Stream:
    return stream.Stream(seed, run_id, START, cookies, tie_every)


def _bytes(source: stream.Stream, count: int = 2_000) -> bytes:
    return b"".join(msgspec.json.encode(source.tag(serial)) for serial in range(count))


def test_the_same_seed_and_run_give_the_same_bytes() -> None:
    assert _bytes(_stream()) == _bytes(_stream())


@pytest.mark.parametrize("other", [_stream(seed=2), _stream(run_id=8)])
def test_another_seed_or_run_gives_other_bytes(other: stream.Stream) -> None:
    assert _bytes(_stream()) != _bytes(other)


def test_a_tag_made_again_out_of_turn_is_the_same() -> None:
    source = _stream()
    forwards = [source.tag(serial) for serial in range(500)]
    again = _stream()
    assert [again.tag(serial) for serial in reversed(range(500))] == forwards[::-1]


def test_event_time_advances_one_millisecond_a_tag() -> None:
    source = _stream(tie_every=0)
    assert source.tag(0).time == "2022-03-22T12:15:00.000Z"
    assert source.tag(61_234).time == "2022-03-22T12:16:01.234Z"
    assert [source.time(serial) - START for serial in range(1_000)] == list(range(1_000))


def test_a_tie_has_cookie_and_millisecond_of_the_tag_before_and_every_other_is_a_copy() -> None:
    source = _stream(tie_every=100)
    for serial in range(99, 2_000, 100):
        tag, before = source.tag(serial), source.tag(serial - 1)
        assert (tag.time, tag.cookie) == (before.time, before.cookie)
        assert (tag == before) == ((serial // 100) % 2 == 1)
        assert source.time(serial + 1) == source.time(serial) + 2


def test_everything_that_a_tag_may_hold_occurs() -> None:
    source = _stream()
    tags = [source.tag(serial) for serial in range(30_000)]
    products = [tag.product_info for tag in tags]
    assert {tag.country for tag in tags} == set(names.COUNTRIES)
    assert {tag.origin for tag in tags} == set(names.ORIGINS)
    assert {tag.device for tag in tags} == {"PC", "MOBILE", "TV"}
    assert {tag.action for tag in tags} == {"VIEW", "BUY"}
    assert {product.brand_id for product in products} == set(names.BRANDS)
    assert {product.category_id for product in products} == set(names.CATEGORIES)
    assert {type(product.product_id) for product in products} == {int, str}
    assert {-(2**31), -1, 0, 2**31 - 1} <= {product.price for product in products}


def test_there_are_as_many_names_as_the_contract_says() -> None:
    counts = [len(set(kind)) for kind in (names.COUNTRIES, names.ORIGINS, names.BRANDS, names.CATEGORIES)]
    assert counts == [100, 1_000, 250, 67]


def test_every_text_is_one_that_the_contract_takes() -> None:
    source = _stream()
    cookies = [source.tag(serial).cookie for serial in range(5_000)] + [source.absent_cookie(n) for n in range(500)]
    for text in itertools.chain(cookies, names.ORIGINS, names.BRANDS, names.CATEGORIES, names.COUNTRIES):
        assert 1 <= len(text) <= 256
        assert len(text.encode()) <= 512
        assert "\0" not in text


def test_some_cookies_are_hot() -> None:
    source = _stream(cookies=1_000_000)
    counts = Counter(source.tag(serial).cookie for serial in range(20_000))
    hottest = counts[source.hot_cookie(0)]
    assert hottest > 300
    assert hottest > 1.5 * counts[source.hot_cookie(1)]


def test_one_user_alone_is_possible() -> None:
    source = _stream(cookies=1)
    assert len({source.tag(serial).cookie for serial in range(500)}) == 1


def test_whether_a_tag_is_watched_depends_on_its_user_alone() -> None:
    source = _stream(cookies=1_000)
    watched: dict[str, set[bool]] = {}
    for serial in range(5_000):
        watched.setdefault(source.tag(serial).cookie, set()).add(source.is_watched(serial, 300))
    assert all(len(found) == 1 for found in watched.values())
    assert sum(found == {True} for found in watched.values()) == pytest.approx(300, abs=5)
