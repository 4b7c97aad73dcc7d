"""Pages of other origins get nothing from the gateway in a browser, unless a setting names them."""

import json

from devstack.kafka import KafkaServer
from runtime.settings import DatabaseSettings
from tests.support import gateways, topics
from tests.support.gateways import Gateway
from tests.support.tags import tag


def test_a_page_of_an_allowed_origin_may_ask_and_no_other(
    kafka: KafkaServer, shared_database: DatabaseSettings, topic: str
) -> None:
    allowed, other = "https://shop.example", "https://elsewhere.example"
    with gateways.running(topics.make(kafka, topic), shared_database, cors_origins=allowed) as gateway:
        headers = "authorization,content-type,traceparent,tracestate"  # a browser's tracer sends both of the last
        preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": headers}
        asked = gateway.ask("OPTIONS", "/user_tags", None, Origin=allowed, **preflight)
        assert (asked.status, asked.headers["access-control-allow-origin"]) == (200, allowed)
        assert "POST" in asked.headers["access-control-allow-methods"]
        assert gateway.ask("OPTIONS", "/user_tags", None, Origin=other, **preflight).status == 400

        for body in (json.dumps(tag()).encode(), b"{"):  # an error too must be readable for the page
            answer = gateway.ask("POST", "/user_tags", body, Origin=allowed)
            assert answer.headers["access-control-allow-origin"] == allowed
            assert gateway.ask("POST", "/user_tags", body, Origin=other).headers["access-control-allow-origin"] is None


def test_unless_set_no_origin_is_allowed(gateway: Gateway) -> None:
    answer = gateway.ask("OPTIONS", "/user_tags", None, Origin="https://a", **{"Access-Control-Request-Method": "POST"})

    assert answer.status == 405
    assert answer.headers["access-control-allow-origin"] is None
