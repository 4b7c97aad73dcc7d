"""Debug mode: answers stay as they are; differences are counted, logged without cookie ids, and shown."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from devstack.kafka import KafkaServer
from runtime.settings import DatabaseSettings, KafkaSettings
from schemas.tags import AggregatesItem
from tests.support import aggregates, gateways
from tests.support.gateways import Gateway
from tests.support.tags import tag

QUERY = {
    "time_range": "2022-03-01T00:05:00_2022-03-01T00:06:00",
    "action": "BUY",
    "aggregates": "COUNT",
    "origin": "debug",
}
FIRST = 27_434_885  # 2022-03-01T00:05:00Z in minutes


@pytest.fixture(scope="module")
def debugging(shared_topic: KafkaSettings, shared_database: DatabaseSettings) -> Iterator[Gateway]:
    """A gateway in debug mode that keeps three mismatches."""
    with gateways.running(shared_topic, shared_database, debug_queries="true", debug_mismatches_kept=3) as gateway:
        yield gateway


def _results(gateway: Gateway, endpoint: str) -> dict[str, float]:
    return {
        result: gateway.metric(f'allezone_gateway_debug_answers_total{{endpoint="{endpoint}",result="{result}"}}')
        for result in ("match", "mismatch", "broken_body")
    }


def _ask_table(gateway: Gateway, body: Any) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return gateway.aggregates(QUERY, data).json


async def test_a_match_is_counted_and_not_shown(debugging: Gateway, shared_database: DatabaseSettings) -> None:
    await aggregates.store(shared_database, [(AggregatesItem(FIRST, "BUY", "debug", "Nike", "shoes"), 7, 700)])
    before, shown = _results(debugging, "/aggregates"), debugging.get("/debug/mismatches").json["total"]
    expected = {
        "rows": [["2022-03-01T00:05:00", "BUY", "debug", "7"]],
        "columns": ["1m_bucket", "action", "origin", "count"],
    }

    assert _ask_table(debugging, expected) == expected

    assert _results(debugging, "/aggregates") == before | {"match": before["match"] + 1}
    assert debugging.get("/debug/mismatches").json["total"] == shown


def test_a_mismatch_is_answered_as_ever_and_shown_with_query_expectation_answer_and_difference(
    debugging: Gateway,
) -> None:
    cookie = f"cookie-{uuid.uuid4().hex}"
    expected = {"cookie": cookie, "views": [tag(cookie=cookie)], "buys": []}
    before = _results(debugging, "/user_profiles/{cookie}")

    answer = debugging.profile(cookie, json.dumps(expected).encode(), limit=5)

    assert answer.json == {"cookie": cookie, "views": [], "buys": []}
    assert _results(debugging, "/user_profiles/{cookie}") == before | {"mismatch": before["mismatch"] + 1}
    newest = debugging.get("/debug/mismatches").json["mismatches"][0]
    assert newest["kind"] == "mismatch"
    assert newest["query"].startswith(f"/user_profiles/{cookie}?time_range=2000")
    assert newest["query"].endswith("&limit=5")
    assert newest["expected"] == expected
    assert newest["given"] == answer.json
    assert newest["difference"][0] == "views: 1 expected, 0 given"
    assert "answer is not the expected one" in debugging.log
    assert "views: 1 expected, 0 given" in debugging.log
    assert cookie not in debugging.log


@pytest.mark.parametrize(
    "broken", [b"{", b"not json", b"\xff\xfe", b"[" * 60_000, b'{"rows": [[NaN]]}', b'{"cookie": "\\ud800"}']
)
def test_a_broken_body_is_a_mismatch_of_its_own_kind_and_never_an_error(debugging: Gateway, broken: bytes) -> None:
    before = _results(debugging, "/aggregates")

    assert _ask_table(debugging, broken)["rows"]

    assert _results(debugging, "/aggregates") == before | {"broken_body": before["broken_body"] + 1}
    newest = debugging.get("/debug/mismatches").json["mismatches"][0]
    assert newest["kind"] == "broken_body"
    assert newest["expected"] == broken.decode("utf-8", "replace")


@pytest.mark.parametrize(
    "odd", [b"null", b"[]", b'"x"', b"{}", b'{"rows": 1}', b'{"rows": [null, 1, {}]}', b'{"columns": {}}']
)
def test_json_of_another_shape_is_an_ordinary_mismatch(debugging: Gateway, odd: bytes) -> None:
    before = _results(debugging, "/aggregates")

    assert _ask_table(debugging, odd)["rows"]

    assert _results(debugging, "/aggregates") == before | {"mismatch": before["mismatch"] + 1}


@pytest.mark.parametrize("empty", [b"", b" \n"])
def test_a_query_without_a_body_expects_nothing(debugging: Gateway, empty: bytes) -> None:
    before = _results(debugging, "/aggregates")

    assert _ask_table(debugging, empty)["rows"]

    assert _results(debugging, "/aggregates") == before


def test_only_the_newest_mismatches_are_kept_and_all_are_counted(debugging: Gateway) -> None:
    total = debugging.get("/debug/mismatches").json["total"]
    for number in range(5):
        _ask_table(debugging, {"number": number})

    shown = debugging.get("/debug/mismatches").json

    assert shown["total"] == total + 5
    assert [each["expected"] for each in shown["mismatches"]] == [{"number": 4}, {"number": 3}, {"number": 2}]


def test_an_expected_answer_may_be_as_long_as_400_tags_and_is_bounded_all_the_same(debugging: Gateway) -> None:
    tags = [tag(cookie="c", origin="ł" * 256) for _ in range(200)]
    long = json.dumps({"cookie": "c", "views": tags, "buys": tags}).encode()
    assert len(long) > 500_000

    assert debugging.profile("c", long).status == 200
    newest = debugging.get("/debug/mismatches").json["mismatches"][0]
    assert newest["expected"] == f"omitted: {len(long)} bytes"
    assert debugging.profile("c", b" " * (4 * 1024 * 1024 + 1)).status == 413


def test_with_debug_mode_off_there_is_nothing_to_see(gateway: Gateway) -> None:
    answer = gateway.get("/debug/mismatches")

    assert answer.status == 404
    assert "DEBUG_QUERIES=true" in answer.json["detail"]


def test_a_bad_query_with_a_body_is_a_bad_query(debugging: Gateway, kafka: KafkaServer) -> None:
    assert debugging.profile("c", b"{}", limit=0).status == 422
