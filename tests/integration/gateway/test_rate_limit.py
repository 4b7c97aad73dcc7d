"""A client that asks too often is told when to come again, and nothing of what it sent is stored."""

import json
import uuid
from collections import Counter
from typing import Any

import pytest

from devstack import ports
from devstack.kafka import KafkaServer
from runtime.settings import DatabaseSettings
from schemas import codec
from tests.support import gateways, topics
from tests.support.gateways import Gateway
from tests.support.tags import tag

SLOW: dict[str, Any] = {"rate_limit_per_s": 0.05, "rate_limit_burst_s": 60}
BURST = 3


def test_one_more_than_it_may_is_a_429_and_not_stored(
    kafka: KafkaServer, shared_database: DatabaseSettings, topic: str
) -> None:
    with gateways.running(topics.make(kafka, topic), shared_database, **SLOW) as gateway:
        answers = [gateway.post_tag(tag(cookie=f"c-{number}")) for number in range(2 * BURST)]

        assert Counter(answer.status for answer in answers) == {204: BURST, 429: BURST}
        refused = answers[-1]
        assert 1 <= int(refused.headers["retry-after"]) <= 20
        assert refused.json["stored"] == "no"
        assert refused.json["detail"].startswith("too many requests from one client; try again in ")
        query = gateway.aggregates({})  # refused before anything else is found wrong with it
        assert (query.status, set(query.json)) == (429, {"detail"})
        assert gateway.metric('allezone_gateway_refused_total{client="",reason="rate"}') == BURST + 1
        # Probes and metrics are never limited: all these requests came from one address.
        assert gateway.get("/readyz").status == 200

    stored = {codec.decode_tag(value).cookie for value in topics.values(kafka, topic)}
    assert stored == {f"c-{number}" for number in range(BURST)}


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/aggregates", 405)])
def test_what_is_not_served_is_limited_too(
    kafka: KafkaServer, shared_database: DatabaseSettings, topic: str, method: str, path: str, status: int
) -> None:
    inside = ports.reserve()
    with gateways.running(topics.make(kafka, topic), shared_database, internal_port=inside, **SLOW) as gateway:
        answers = [gateway.ask(method, path) for _ in range(2 * BURST)]

        assert Counter(answer.status for answer in answers) == {status: BURST, 429: BURST}
        assert answers[0].json["detail"] in ("Not Found", "Method Not Allowed")
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 20
        assert gateway.post_tag(tag()).status == 429
        # Who asks inside is nobody's client.
        assert {gateway.inside.ask(method, path).status for _ in range(2 * BURST)} == {404}


def test_behind_a_trusted_proxy_clients_are_told_apart_and_else_they_are_not(
    kafka: KafkaServer, shared_database: DatabaseSettings, topic: str
) -> None:
    settings = topics.make(kafka, topic)
    for trusted, taken in (("127.0.0.0/8", 2 * BURST), ("", BURST)):
        with gateways.running(settings, shared_database, trusted_proxies=trusted, **SLOW) as gateway:
            statuses = [_post(gateway, f"198.51.100.{number % 2}") for number in range(4 * BURST)]
            assert statuses.count(204) == taken


def _post(gateway: Gateway, client: str) -> int:
    body = json.dumps(tag(cookie=uuid.uuid4().hex)).encode()
    return gateway.ask("POST", "/user_tags", body, **{"X-Forwarded-For": client}).status
