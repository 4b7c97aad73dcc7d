"""What a client is told of a failure leads to the line of the log, and no line says anything of who it was."""

import json
import signal
import socket
from collections.abc import Callable
from typing import Any, Final

from devstack import waiting
from devstack.kafka import KafkaServer
from runtime import trace_context
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.support import gateways, log_lines, topics
from tests.support.gateways import Gateway
from tests.support.tags import tag

MARK: Final = "marked-7f3a"
"""In everything that a client sends."""

TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS: Final = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
NOWHERE: Final = {"time_range": "2022-03-01T00:05:00_2022-03-01T00:06:00", "action": "BUY", "aggregates": "COUNT"}
DIFFERENCE: Final = "answer is not the expected one"
"""Debug mode is there to show what a tag has instead; its cookie is not shown."""

DEFECTS: Final = """
import threading
from gateway import aggregates, user_tag_body
whole = user_tag_body.parse
def parse(body, now_ms):
    tag = whole(body, now_ms)
    if tag.country == "DEFECT":
        raise KeyError(tag.cookie)
    if tag.country == "THREAD":
        threading.Thread(target=lambda: {}[tag.cookie]).start()
    return tag
user_tag_body.parse = parse
def table(query, *_):
    raise ValueError(query)
aggregates.table = table
"""


def _marked(**fields: Any) -> dict[str, Any]:
    names = ("cookie", "country", "origin", "product_id", "brand_id", "category_id")
    return tag(**{**{name: f"{MARK}-{name}" for name in names}, **fields})


def _all_kinds_of_failure(gateway: Gateway) -> None:
    """What clients send: broken, bad, unknown, and what meets a defect."""
    for body in (b"{" + MARK.encode(), json.dumps(_marked(price=MARK)).encode(), b'"' + bytes([255]), b"x" * 70_000):
        assert 400 <= gateway.post("/user_tags", body).status < 500
    for fields in ({}, {"country": "DEFECT"}, {"country": "THREAD"}, {"origin": MARK * 30}, {"time": MARK}):
        gateway.ask("POST", "/user_tags", json.dumps(_marked(**fields)).encode(), traceparent=f"00-{MARK}-01")
    for target in (
        f"/{MARK}",
        f"/queue/{MARK}/{MARK}/backlog",
        f"/user_profiles/{MARK}?time_range={MARK}",
        f"/%{MARK}",
    ):
        gateway.get(target)
        gateway.post(target, MARK.encode())
    gateway.profile(MARK)
    gateway.profile(MARK, json.dumps({"cookie": MARK, "views": [_marked()], MARK: 1}).encode())
    gateway.aggregates({**NOWHERE, "origin": MARK})
    gateway.aggregates({**NOWHERE, "action": MARK})
    gateway.ask("POST", "/user_tags", b"{}", Authorization=f"Bearer {MARK}", Cookie=MARK)
    with socket.create_connection((gateway.host, gateway.port), timeout=10) as raw:
        raw.sendall(f"NO HTTP {MARK}\r\n\r\n".encode())
        assert raw.recv(100)


def _lines(gateway: Gateway) -> list[dict[str, Any]]:
    return log_lines.of("gateway", gateway.log)


def _has(gateway: Gateway, wanted: Callable[[dict[str, Any]], bool]) -> bool:
    return waiting.until(lambda: any(wanted(line) for line in _lines(gateway)), 20)


def test_without_kafka_the_log_has_each_refused_event_by_the_id_that_its_client_got(database: DatabaseSettings) -> None:
    nowhere = KafkaSettings(kafka_hosts="127.0.0.1:1")
    with gateways.running(nowhere, database, ready=False, produce_timeout_ms=300, produce_in_flight=1) as gateway:
        unknown = gateway.ask("POST", "/user_tags", json.dumps(_marked()).encode(), **HEADERS)
        refused = gateway.post_tag(_marked())
        backlog = gateway.get("/queue/allezone/user-tags/backlog")

        assert unknown.headers["x-request-id"] == TRACE
        ids = [answer.headers["x-request-id"] for answer in (unknown, refused, backlog)]
        assert len(set(ids)) == 3
        for answer, error, reason in (
            (unknown, "OutcomeUnknown", "timeout"),
            (refused, "NotHandedOver", "in_flight_bound"),
            (backlog, "BrokerUnavailable", ""),
        ):
            [line] = [line for line in _lines(gateway) if line.get("trace_id") == answer.headers["x-request-id"]]
            assert answer.status == 503
            assert (line["event"], line["error"], line["reason"]) == ("request failed", error, reason)
        assert MARK not in gateway.log


def test_an_event_bears_its_id_into_the_topic_and_the_204_stays_bare(
    kafka: KafkaServer, shared_database: DatabaseSettings, topic: str
) -> None:
    with gateways.running(topics.make(kafka, topic), shared_database) as gateway:
        taken = gateway.ask("POST", "/user_tags", json.dumps(tag()).encode(), **HEADERS)
        own = gateway.post_tag(tag())

    assert taken.status == own.status == 204
    assert "x-request-id" not in {name.lower() for name in [*taken.headers, *own.headers]}
    ids = {trace_context.of_record(dict(message.headers() or []).items()) for message in topics.read(kafka, topic)}
    assert len(ids) == 2
    assert TRACE in ids


def test_every_line_from_start_to_end_is_as_documented_and_says_nothing_of_anybody(
    kafka: KafkaServer, database: DatabaseSettings, topic: str
) -> None:
    chosen = topics.make(kafka, topic)
    with gateways.planted(DEFECTS, chosen, database, log_level="DEBUG", debug_queries="true") as gateway:
        _all_kinds_of_failure(gateway)
        assert _has(gateway, lambda line: line["event"] == "a thread ended by an exception")
        assert _has(gateway, lambda line: line["event"] == "unexpected error" and "KeyError" in line["exception"])
        assert _has(gateway, lambda line: line["event"] == "unexpected error" and "ValueError" in line["exception"])
        assert _has(gateway, lambda line: line["logger"].startswith("uvicorn"))
        gateway.process.send(signal.SIGTERM)
        assert waiting.until(lambda: not gateway.process.running, 30)

        lines = _lines(gateway)
        assert {"listening", "stopping", "producer closed", DIFFERENCE} <= {line["event"] for line in lines}
        assert [line for line in lines if MARK in str(line) and line["event"] != DIFFERENCE] == []
        assert f"{MARK}-cookie" not in gateway.log
