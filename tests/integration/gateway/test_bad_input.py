"""Every kind of bad input gets its status and a message that names the field, and leaves nothing behind."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from devstack.kafka import KafkaServer
from runtime.settings import DatabaseSettings
from tests.integration.gateway import bad_queries, bad_tags
from tests.support import gateways, topics
from tests.support.gateways import Answer, Gateway
from tests.support.tags import body


@pytest.fixture(scope="module")
def untouched(kafka: KafkaServer, shared_database: DatabaseSettings) -> Iterator[Gateway]:
    """A gateway whose topic must be empty when the module is done."""
    topic = "test-untouched-by-bad-input"
    with gateways.running(topics.make(kafka, topic), shared_database) as gateway:
        yield gateway
        assert topics.values(kafka, topic) == []


def _check(answer: Answer, status: int, field: str, says: str) -> None:
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    detail = answer.json["detail"]
    if status != 422:
        assert says in detail
        return
    assert all(set(each) == {"loc", "msg", "type"} for each in detail)
    named = {each["loc"][-1]: each["msg"] for each in detail}
    assert field in named, detail
    assert says in named[field]


def test_there_are_enough_kinds() -> None:
    assert len({bad.kind for bad in bad_tags.ALL}) == len(bad_tags.ALL) >= 80
    assert len({bad.kind for bad in bad_queries.ALL}) == len(bad_queries.ALL) >= 60


@pytest.mark.parametrize("bad", bad_tags.ALL, ids=lambda bad: bad.kind)
def test_a_bad_tag_is_refused(untouched: Gateway, bad: bad_tags.Bad) -> None:
    _check(untouched.post("/user_tags", bad.body), bad.status, bad.field, bad.says)


@pytest.mark.parametrize("bad", bad_queries.ALL, ids=lambda bad: bad.kind)
def test_a_bad_query_is_refused(untouched: Gateway, bad: bad_queries.Bad) -> None:
    _check(untouched.post(bad.target), bad.status, bad.field, bad.says)


def test_a_single_fault_is_the_only_one_that_is_told(untouched: Gateway) -> None:
    answer = untouched.post("/user_tags", body(price="100"))

    assert [each["loc"] for each in answer.json["detail"]] == [["body", "product_info", "price"]]
    assert answer.json["detail"][0]["type"] == "int_type"


QUERIES = [
    "/user_profiles/c?time_range=2022-03-22T12:00:00_2022-03-22T13:00:00",
    "/aggregates?time_range=2022-03-22T12:00:00_2022-03-22T12:01:00&action=BUY&aggregates=COUNT",
]


@pytest.mark.parametrize(
    ("target", "limit"), [("/user_tags", 65_536), *((target, 4 * 1024 * 1024) for target in QUERIES)]
)
@pytest.mark.parametrize("chunk", [10_000, 70_000])
def test_the_limit_counts_the_bytes_that_arrive_not_a_header(
    untouched: Gateway, target: str, limit: int, chunk: int
) -> None:
    def stream() -> Iterator[bytes]:
        for _ in range(limit // chunk + 1):
            yield b" " * chunk

    answer = untouched.ask("POST", target, stream())  # type: ignore[arg-type]  # chunked: no Content-Length

    _check(answer, 413, "", f"the body is over {limit} bytes")


@pytest.mark.parametrize("target", QUERIES)
def test_with_debug_mode_off_an_expected_answer_is_ignored_however_long(untouched: Gateway, target: str) -> None:
    assert untouched.ask("POST", target, b"{" * 300_000).status == 200


@pytest.mark.parametrize(
    ("method", "target", "status", "allow"),
    [
        ("GET", "/user_tags", 405, "POST"),
        ("PUT", "/user_tags", 405, "POST"),
        ("DELETE", "/user_tags", 405, "POST"),
        ("HEAD", "/user_tags", 405, "POST"),
        ("GET", "/user_profiles/c", 405, "POST"),
        ("GET", "/aggregates", 405, "POST"),
        ("POST", "/healthz", 405, "GET"),
        ("POST", "/readyz", 405, "GET"),
        ("POST", "/metrics", 405, "GET"),
        ("POST", "/user_tags/", 404, None),
        ("POST", "//user_tags", 404, None),
        ("POST", "/User_Tags", 404, None),
        ("POST", "/user_profiles", 404, None),
        ("POST", "/", 404, None),
        ("GET", "/nothing", 404, None),
        ("POST", "/user_tags%00", 404, None),
        ("GET", "/debug/mismatches", 404, None),
    ],
)
def test_what_is_not_served_is_404_or_405(
    untouched: Gateway, method: str, target: str, status: int, allow: str | None
) -> None:
    answer = untouched.ask(method, target, body() if method in ("POST", "PUT") else None)

    assert (answer.status, answer.headers["allow"]) == (status, allow)
    assert method == "HEAD" or set(answer.json) == {"detail"}


@pytest.mark.parametrize(
    "headers", [{"Content-Type": "text/plain"}, {"Content-Type": "application/json; charset=x"}, {}]
)
def test_a_body_is_read_as_json_whatever_it_is_called(untouched: Gateway, headers: dict[str, Any]) -> None:
    answer = untouched.ask("POST", "/user_tags", json.dumps([]).encode(), **headers)

    assert answer.status == 422
