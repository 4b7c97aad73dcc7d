"""Hostile strings come back from every endpoint as they went in, and harm nobody."""

import json
from typing import Any

import pytest

from devstack.kafka import KafkaServer
from gateway import user_tag_body
from runtime.settings import DatabaseSettings, KafkaSettings
from schemas import codec, tags, timestamps
from tests.support import aggregates, profiles, topics
from tests.support.gateways import Gateway
from tests.support.tags import tag

HOSTILE = [
    "plain",
    "with space",
    " leading and trailing ",
    "a/b",
    "/",
    "//",
    "../../etc/passwd",
    ".",
    "..",
    "%2F",
    "%00",
    "%",
    "100 %",
    "a+b",
    "a&b=c;d",
    "?query#fragment",
    "'quoted'",
    '"quoted"',
    "`backticks`",
    "'; DROP TABLE aggregate_deltas; --",
    "$1 $$ %s {0} ${HOME} {{7*7}}",
    "back\\slash",
    "\\u0000",
    "tab\tline\nreturn\r",
    "\n",
    "\x01\x1f\x7f",
    "<script>alert(1)</script>",
    "ąćęłńóśźż",
    "日本語",
    "e\u0301 is not \u00e9",
    "\u202eright to left",
    "שלום",
    "zero\u200bwidth",
    "\ufeffmark",
    "\ufffd\uffff",
    "😀👩‍👩‍👧‍👦🏳️‍🌈",
    "\U0010ffff",
    "null",
    "NaN",
    "-0",
    "x" * 256,
    "ł" * 256,
    "😀" * 128,
]
MINUTE = "2022-05-01T12:15:00"
RANGE = "2022-05-01T12:15:00_2022-05-01T12:16:00"


def _posted(text: str) -> dict[str, Any]:
    names = ("cookie", "country", "origin", "product_id", "brand_id", "category_id")
    return tag(**dict.fromkeys(names, text))


def test_strings_reach_the_topic_as_they_were(
    gateway: Gateway, kafka: KafkaServer, shared_topic: KafkaSettings
) -> None:
    for text in HOSTILE:
        assert gateway.post_tag(_posted(text)).status == 204, text

    messages = topics.read(kafka, shared_topic.kafka_topic)
    values = [_texts(codec.decode_tag(message.value() or b"")) for message in messages]
    keys = [_key_texts(message.key() or b"") for message in messages]
    for text in HOSTILE:
        assert {text} in values
        assert {text} in keys


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
async def test_a_string_comes_back_from_a_profile_as_it_was(
    gateway: Gateway, shared_database: DatabaseSettings, text: str
) -> None:
    await profiles.store(shared_database, [user_tag_body.parse(json.dumps(_posted(text)).encode(), now_ms=2**50)])

    answer = gateway.profile(text)

    assert answer.status == 200
    assert answer.json == {"cookie": text, "views": [_posted(text)], "buys": []}


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
async def test_a_string_is_a_filter_like_any_other(
    gateway: Gateway, shared_database: DatabaseSettings, text: str
) -> None:
    item = tags.AggregatesItem(timestamps.parse_minute(MINUTE), "VIEW", text, text, text)
    await aggregates.store(shared_database, [(item, 3, 300)])
    filters = dict.fromkeys(("origin", "brand_id", "category_id"), text)

    answer = gateway.aggregates({"time_range": RANGE, "action": "VIEW", "aggregates": "COUNT", **filters})

    assert answer.status == 200
    assert answer.json["rows"] == [[MINUTE, "VIEW", text, text, text, "3"]]


def _texts(found: tags.UserTag) -> set[object]:
    return {found.cookie, found.country, found.origin, found.product_id, found.brand_id, found.category_id}


def _key_texts(key: bytes) -> set[str]:
    item = codec.decode_item(key)
    return {item.origin, item.brand_id, item.category_id}
