"""What the body of a tag becomes. What it may not be is in tests/integration/gateway/bad_input.py."""

import pytest

from gateway import errors, user_tag_body
from schemas import tags
from tests.support.tags import body

NOON = 1_647_951_300_000  # 2022-03-22T12:15:00.000Z
DAY = 24 * 3600 * 1000


def _parse(data: bytes, now_ms: int = NOON) -> tags.UserTag:
    return user_tag_body.parse(data, now_ms)


def test_a_body_becomes_a_tag_field_by_field() -> None:
    assert _parse(body(price=-5)) == tags.UserTag(
        NOON, "cookie-1", "PL", "PC", "VIEW", "campaign-1", "product-1", "brand-1", "category-1", -5
    )


@pytest.mark.parametrize("product_id", [0, -1, 2**63 - 1, -(2**63), "0", "17", "x" * 256])
def test_a_product_id_keeps_its_type(product_id: int | str) -> None:
    found = _parse(body(product_id=product_id)).product_id

    assert found == product_id
    assert type(found) is type(product_id)


@pytest.mark.parametrize("text", ["ł" * 256, "日" * 170, "😀" * 128, " ", "a/b%2F\"'\\\t\n\r\x7f\u202e"])
def test_strings_up_to_both_bounds_are_taken(text: str) -> None:
    assert _parse(body(origin=text)).origin == text


def test_an_escaped_backslash_before_u0000_is_no_u0000() -> None:
    assert _parse(body(origin="\\u0000")).origin == "\\u0000"


def test_unknown_fields_of_any_kind_are_ignored() -> None:
    extra = b'{"x": {"y": [1, null, true, 9e999, "\\u0000"], "price": "not here"}, '

    assert _parse(extra + body()[1:]) == _parse(body())


def test_a_field_given_twice_counts_with_its_last_value() -> None:
    assert _parse(body(price=1).replace(b'"price": 1', b'"price": 1, "price": 2')).price == 2


def test_a_time_a_day_ahead_is_taken_and_a_millisecond_more_is_not() -> None:
    assert _parse(body(), NOON - DAY).time == NOON
    with pytest.raises(errors.Invalid, match="24 hours ahead"):
        _parse(body(), NOON - DAY - 1)


def test_every_bad_field_is_named_in_one_answer() -> None:
    with pytest.raises(errors.Invalid) as raised:
        _parse(body(time="now", cookie="", device="pc", price=1.5, brand_id=None))

    assert [field.loc for field in raised.value.fields] == [
        ("body", "time"),
        ("body", "cookie"),
        ("body", "device"),
        ("body", "product_info", "brand_id"),
        ("body", "product_info", "price"),
    ]
