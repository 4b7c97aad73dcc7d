"""`POST /user_tags` with a good tag: 204, and the event is in the topic as it was sent."""

import concurrent.futures
import re
import socket
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from devstack import waiting
from devstack.kafka import KafkaServer
from runtime.settings import KafkaSettings
from schemas import codec, tags
from tests.support import topics
from tests.support.gateways import Gateway
from tests.support.tags import body, tag


def _stored(kafka: KafkaServer, settings: KafkaSettings, cookie: str) -> list[tuple[tags.AggregatesItem, tags.UserTag]]:
    """Keys and values of what the topic holds of one cookie."""
    messages = topics.read(kafka, settings.kafka_topic)
    decoded = [
        (codec.decode_item(message.key() or b""), codec.decode_tag(message.value() or b"")) for message in messages
    ]
    return [(item, found) for item, found in decoded if found.cookie == cookie]


@pytest.fixture
def cookie() -> str:
    return f"cookie-{uuid.uuid4().hex}"


def test_a_good_tag_is_answered_with_an_empty_204_and_stored_whole(
    gateway: Gateway, kafka: KafkaServer, shared_topic: KafkaSettings, cookie: str
) -> None:
    answer = gateway.post_tag(tag(cookie=cookie, price=-5, product_id=17))

    assert (answer.status, answer.body) == (204, b"")
    expected = tags.UserTag(
        1_647_951_300_000, cookie, "PL", "PC", "VIEW", "campaign-1", 17, "brand-1", "category-1", -5
    )
    assert _stored(kafka, shared_topic, cookie) == [(tags.item_of(expected), expected)]


def test_identical_tags_are_all_stored(
    gateway: Gateway, kafka: KafkaServer, shared_topic: KafkaSettings, cookie: str
) -> None:
    for _ in range(3):
        assert gateway.post_tag(tag(cookie=cookie)).status == 204

    assert len(_stored(kafka, shared_topic, cookie)) == 3


def test_a_time_almost_a_day_ahead_and_one_in_the_year_1_are_taken(gateway: Gateway, cookie: str) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=24, seconds=-10)

    assert gateway.post_tag(tag(cookie=cookie, time=f"{ahead:%Y-%m-%dT%H:%M:%S}.000Z")).status == 204
    assert gateway.post_tag(tag(cookie=cookie, time="0001-01-01T00:00:00.000Z")).status == 204


def test_a_time_more_than_a_day_ahead_is_refused(gateway: Gateway, cookie: str) -> None:
    ahead = datetime.now(UTC) + timedelta(hours=24, seconds=10)

    answer = gateway.post_tag(tag(cookie=cookie, time=f"{ahead:%Y-%m-%dT%H:%M:%S}.000Z"))

    assert answer.status == 422
    assert answer.json["detail"][0]["loc"] == ["body", "time"]
    assert "at most 24 hours ahead" in answer.json["detail"][0]["msg"]


def test_a_body_of_exactly_64_kib_is_taken(gateway: Gateway) -> None:
    data = body()

    assert gateway.post("/user_tags", data + b" " * (65_536 - len(data))).status == 204


def test_a_body_in_many_chunks_is_taken(gateway: Gateway) -> None:
    def stream() -> Iterator[bytes]:
        yield from (bytes([byte]) for byte in body())

    assert gateway.ask("POST", "/user_tags", stream()).status == 204  # type: ignore[arg-type]  # chunked


def test_requests_sent_at_once_on_one_connection_are_answered_in_order(gateway: Gateway) -> None:
    def request(data: bytes) -> bytes:
        return b"POST /user_tags HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(data) + data

    with socket.create_connection((gateway.host, gateway.port), timeout=20) as connection:
        connection.sendall(request(body()) + request(b"{}") + request(body()))
        received = b""
        while received.count(b"HTTP/1.1 ") < 3 or not received.endswith(b"\r\n\r\n"):
            chunk = connection.recv(65_536)
            assert chunk, received
            received += chunk

    assert re.findall(rb"HTTP/1.1 ([0-9]+)", received) == [b"204", b"422", b"204"]


def test_a_client_that_goes_away_in_the_middle_of_its_body_leaves_nothing_and_harms_nobody(
    gateway: Gateway, kafka: KafkaServer, shared_topic: KafkaSettings, cookie: str
) -> None:
    data = body(cookie=cookie)
    for length in (0, 1, len(data) - 1):
        with socket.create_connection((gateway.host, gateway.port), timeout=20) as connection:
            connection.sendall(b"POST /user_tags HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(data))
            connection.sendall(data[:length])

    assert gateway.post_tag(tag()).status == 204
    assert _stored(kafka, shared_topic, cookie) == []
    assert "Traceback" not in gateway.log


def test_no_answer_names_the_server_software(gateway: Gateway) -> None:
    assert gateway.post_tag(tag()).headers["server"] is None


def test_tags_from_many_connections_are_stored_once_each(
    gateway: Gateway, kafka: KafkaServer, shared_topic: KafkaSettings, cookie: str
) -> None:
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        answers = pool.map(lambda number: gateway.post_tag(tag(cookie=cookie, price=number)), range(500))

    assert {answer.status for answer in answers} == {204}
    assert sorted(found.price for _, found in _stored(kafka, shared_topic, cookie)) == list(range(500))


def test_each_answer_is_counted_and_timed(gateway: Gateway) -> None:
    taken = 'allezone_gateway_requests_total{endpoint="/user_tags",status="204"}'
    refused = 'allezone_gateway_requests_total{endpoint="/user_tags",status="422"}'
    timed = 'allezone_gateway_request_duration_seconds_count{endpoint="/user_tags"}'
    before = [gateway.metric(line) for line in (taken, refused, timed)]

    gateway.post_tag(tag())
    gateway.post("/user_tags", b"{}")

    assert [gateway.metric(line) for line in (taken, refused, timed)] == [
        before[0] + 1,
        before[1] + 1,
        before[2] + 2,
    ]


def test_nothing_stays_in_flight(gateway: Gateway) -> None:
    gateway.post_tag(tag())

    assert waiting.until(lambda: gateway.metric("allezone_gateway_events_in_flight") == 0, 10)
