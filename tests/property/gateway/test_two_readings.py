"""The fast reading of a tag and the one that finds the words for its faults agree about what is good."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway import complaints, errors, user_tag_body
from schemas import tags
from tests.support.tags import tag

NOW = 1_700_000_000_000

_texts = st.one_of(
    st.text(max_size=5),
    st.sampled_from(["", "\0", "a\0b", "ł" * 256, "ł" * 257, "日" * 170, "日" * 171, "x" * 256, "x" * 257, "😀" * 129]),
)
_numbers = st.one_of(
    st.integers(-(2**65), 2**65),
    st.sampled_from([2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30]),
    st.floats(allow_nan=False, allow_infinity=False),
)
_times = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z"),
    st.sampled_from(
        ["2022-02-30T00:00:00.000Z", "2022-03-22T12:15:00Z", "2022-03-22T24:00:00.000Z", "9999-12-31T23:59:59.999Z"]
    ),
    _texts,
)
_anything = st.one_of(st.none(), st.booleans(), _numbers, _texts, st.lists(st.none(), max_size=1), st.just({}))


def _fields() -> st.SearchStrategy[dict[str, Any]]:
    texts = {name: st.one_of(_texts, _anything) for name in ("cookie", "country", "origin", "brand_id", "category_id")}
    others = {
        "time": st.one_of(_times, _anything),
        "device": st.one_of(st.sampled_from(["PC", "MOBILE", "TV", "pc"]), _anything),
        "action": st.one_of(st.sampled_from(["VIEW", "BUY", "buy"]), _anything),
        "product_id": _anything,
        "price": st.one_of(_numbers, _anything),
        "product_info": _anything,
        "more": _anything,
    }
    return st.fixed_dictionaries({}, optional={**texts, **others})


def _is_good(body: bytes) -> bool | str:
    try:
        user_tag_body.parse(body, NOW)
    except errors.Invalid as error:
        return error.fields[0].type
    except errors.Malformed:
        return "malformed"
    return True


def _complaints(body: bytes) -> bool | str:
    try:
        found = complaints.about(body, NOW)
    except errors.Malformed:
        return "malformed"
    return found[0].type if found else True


def _body(fields: dict[str, Any]) -> bytes:
    replaced = fields.pop("product_info", None)
    made = tag(**fields)
    if replaced is not None:
        made["product_info"] = replaced
    return json.dumps(made).encode()


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_fields())
def test_both_readings_take_the_same_tags_and_refuse_the_same(fields: dict[str, Any]) -> None:
    body = _body(fields)

    assert _is_good(body) == _complaints(body)


@settings(max_examples=1500, deadline=None)
@given(st.data())
def test_both_readings_agree_about_damaged_bodies(data: st.DataObject) -> None:
    body = bytearray(json.dumps(tag(cookie="ł😀"), ensure_ascii=data.draw(st.booleans())).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))

    first, second = _is_good(bytes(body)), _complaints(bytes(body))

    assert (first is True) == (second is True)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=50))
def test_no_body_at_all_makes_either_reading_fail_otherwise_than_with_its_own_errors(body: bytes) -> None:
    assert _is_good(body) == _complaints(body)


@settings(max_examples=500, deadline=None)
@given(
    st.builds(
        tag,
        cookie=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=128),
        origin=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=128),
        product_id=st.one_of(st.integers(-(2**63), 2**63 - 1), st.text("ab/%\"'\\😀", min_size=1, max_size=128)),
        price=st.integers(-(2**31), 2**31 - 1),
    ),
    st.booleans(),
)
def test_a_good_tag_is_read_as_it_was_written(given_tag: dict[str, Any], ascii_only: bool) -> None:
    found = user_tag_body.parse(json.dumps(given_tag, ensure_ascii=ascii_only).encode(), NOW)

    product = given_tag["product_info"]
    assert (found.cookie, found.origin, found.price) == (given_tag["cookie"], given_tag["origin"], product["price"])
    assert found.product_id == product["product_id"]
    assert isinstance(found, tags.UserTag)
    assert msgspec.json.encode(found.product_id)


def test_a_fault_in_the_first_of_two_values_is_found() -> None:
    body = json.dumps(tag(price=2)).replace('"price": 2', '"price": "x", "price": 2').encode()

    with pytest.raises(errors.Invalid, match="price is given more than once"):
        user_tag_body.parse(body, NOW)
