"""An operator's JSON is a tag, or is refused."""

import json

import pytest

from pipeline import tag_json
from tests.support import tags


def test_what_is_shown_is_what_is_parsed() -> None:
    tag = tag_json.parse(tags.body(origin='Łódź "/%', product_id=2**63 - 1, price=-(2**31)))

    assert tag_json.parse(tag_json.shown(tag).encode()) == tag


def test_product_ids_keep_their_type() -> None:
    assert tag_json.parse(tags.body(product_id=7)).product_id == 7
    assert tag_json.parse(tags.body(product_id="7")).product_id == "7"


def test_unknown_fields_are_ignored() -> None:
    assert tag_json.parse(tags.body()) == tag_json.parse(tags.body()[:-1] + b', "extra": 1}')


@pytest.mark.parametrize(
    "fields",
    [
        {"price": 2**31},
        {"price": True},
        {"price": 1.5},
        {"product_id": 2**63},
        {"product_id": ""},
        {"cookie": ""},
        {"cookie": "x" * 257},
        {"country": "\N{GRINNING FACE}" * 129},
        {"brand_id": "a\0"},
        {"device": "pc"},
        {"time": "2022-02-30T00:00:00.000Z"},
        {"time": "2022-02-20T00:00:00Z"},
    ],
)
def test_what_the_api_refuses_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        tag_json.parse(tags.body(**fields))


@pytest.mark.parametrize("name", ["time", "cookie", "country", "device", "action", "origin", "product_info"])
def test_a_missing_field_is_named(name: str) -> None:
    body = json.dumps(tags.without(name)).encode()

    with pytest.raises(ValueError, match=name):
        tag_json.parse(body)
