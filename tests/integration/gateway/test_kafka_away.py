"""Kafka frozen, killed, never there: 503 within the timeout, and "stored" says what is true."""

import concurrent.futures
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from devstack import waiting
from devstack.kafka import KafkaServer
from runtime.settings import DatabaseSettings, KafkaSettings
from schemas import codec
from tests.support import gateways, services, topics, two_brokers
from tests.support.gateways import Answer, Gateway
from tests.support.tags import tag

TIMEOUT_MS = 1500
IN_FLIGHT = 20


@pytest.fixture
def own_kafka() -> Iterator[KafkaServer]:
    """A broker that the test may freeze and kill."""
    with services.required(), services.running_kafka() as server:
        yield server
        server.resume()


def _running(
    kafka: KafkaSettings, database: DatabaseSettings, *, ready: bool = True
) -> AbstractContextManager[Gateway]:
    return gateways.running(
        kafka, database, ready=ready, produce_timeout_ms=TIMEOUT_MS, produce_in_flight=IN_FLIGHT, probe_interval_ms=200
    )


def _post_at_once(gateway: Gateway, prefix: str, count: int) -> dict[str, tuple[Answer, float]]:
    """By cookie: the answer and the seconds that it took."""

    def post(cookie: str) -> tuple[Answer, float]:
        started = time.monotonic()
        return gateway.post_tag(tag(cookie=cookie, origin=cookie)), time.monotonic() - started

    cookies = [f"{prefix}-{number}" for number in range(count)]
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return dict(zip(cookies, pool.map(post, cookies), strict=True))


def _stored(kafka: KafkaServer, topic: str) -> list[str]:
    return [codec.decode_tag(value).cookie for value in topics.values(kafka, topic)]


def _check_refusals(answers: dict[str, tuple[Answer, float]]) -> list[str]:
    """Every answer is a 503 in time and says what is stored; the cookies that got "no"."""
    for answer, seconds in answers.values():
        assert answer.status == 503
        assert seconds < TIMEOUT_MS / 1000 + 4
        assert int(answer.headers["retry-after"]) >= 1
        assert set(answer.json) == {"detail", "stored"}
    return [cookie for cookie, (answer, _) in answers.items() if answer.json["stored"] == "no"]


def _kafka(gateway: Gateway) -> dict[str, Any]:
    """What /readyz says of it."""
    said: dict[str, Any] = gateway.get("/readyz").json["dependencies"]["kafka"]
    return said


def _takes(gateway: Gateway, cookie: str) -> bool:
    """Whether it takes an event soon: the first after a start or an outage may wait for Kafka too long."""
    return waiting.until(lambda: gateway.post_tag(tag(cookie=cookie)).status == 204, 60)


def test_frozen_the_first_are_unknown_and_those_over_the_bound_are_not_stored(
    own_kafka: KafkaServer, database: DatabaseSettings, topic: str
) -> None:
    with _running(topics.make(own_kafka, topic), database) as gateway:
        assert _takes(gateway, "before")
        own_kafka.pause()

        answers = _post_at_once(gateway, "during", 60)

        refused = _check_refusals(answers)
        assert len(answers) - len(refused) == IN_FLIGHT
        assert max(seconds for answer, seconds in answers.values() if answer.json["stored"] == "no") < TIMEOUT_MS / 1000
        assert gateway.metric('allezone_gateway_events_unstored_total{reason="in_flight_bound",stored="no"}') == 40
        assert waiting.until(lambda: gateway.get("/readyz").status == 503, 20)
        assert _kafka(gateway)["state"] == "down"
        assert gateway.get("/healthz").status == 200
        own_kafka.resume()
        assert _takes(gateway, "after")
        assert waiting.until(lambda: gateway.ready, 20)
        stored = _stored(own_kafka, topic)
        assert "before" in stored
        assert not set(refused) & set(stored)


def test_killed_and_started_again_everything_acknowledged_is_there_and_nothing_refused_is(
    own_kafka: KafkaServer, database: DatabaseSettings, topic: str
) -> None:
    with _running(topics.make(own_kafka, topic), database) as gateway:
        assert _takes(gateway, "first")
        before = _post_at_once(gateway, "before", 15)
        own_kafka.kill()

        refused = _check_refusals(_post_at_once(gateway, "during", 60))

        own_kafka.start()
        own_kafka.wait_ready()
        assert _takes(gateway, "after")
        stored = _stored(own_kafka, topic)
        assert {answer.status for answer, _ in before.values()} == {204}
        assert set(before) <= set(stored)
        assert refused
        assert not set(refused) & set(stored)


def test_partitions_that_take_nothing_do_not_fill_the_bound_for_the_others(
    database: DatabaseSettings, topic: str
) -> None:
    with (
        services.required(),
        two_brokers.running() as brokers,
        _running(brokers.topic(topic), database) as gateway,
    ):
        assert _takes(gateway, "before")
        brokers.leaving.kill()
        told: dict[str, str] = {}

        def tell() -> list[str]:
            """What eight clients more are told."""
            answers = _post_at_once(gateway, f"during-{len(told)}", 8)
            new = {cookie: answer.json["stored"] if answer.body else "yes" for cookie, (answer, _) in answers.items()}
            told.update(new)
            return list(new.values())

        def held() -> int:
            tell()
            return list(told.values()).count("unknown")

        assert waiting.until(lambda: held() > 1.5 * IN_FLIGHT, 90)
        assert waiting.until(lambda: "yes" in tell(), 30)

        brokers.leaving.start()
        brokers.leaving.wait_ready()
        stored = _stored(brokers.staying, topic)
        assert len(stored) == len(set(stored))
        assert {cookie for cookie, known in told.items() if known == "yes"} <= set(stored)
        assert not {cookie for cookie, known in told.items() if known == "no"} & set(stored)
        assert "kafka producer replaced" in gateway.log


def test_never_there_the_gateway_serves_and_says_so(database: DatabaseSettings) -> None:
    nowhere = KafkaSettings(kafka_hosts="127.0.0.1:1")
    with _running(nowhere, database, ready=False) as gateway:
        _check_refusals(_post_at_once(gateway, "early", 5))

        assert gateway.get("/readyz").status == 503
        assert gateway.get("/healthz").status == 200
        assert gateway.profile("c").status == 200
        backlog = gateway.get(f"/queue/allezone/{nowhere.kafka_topic}/backlog")
        assert (backlog.status, backlog.headers["retry-after"]) == (503, "1")
        failed = 'endpoint="/queue/{namespace}/{topic}/backlog",error="BrokerUnavailable"'
        assert gateway.metric(f"allezone_gateway_query_failures_total{{{failed}}}") == 1
        assert "Traceback" not in gateway.log


def test_without_the_topic_the_gateway_is_not_ready_and_names_the_command(
    kafka: KafkaServer, database: DatabaseSettings, topic: str
) -> None:
    with _running(topics.settings(kafka, topic), database, ready=False) as gateway:
        missing = "TopicMissing: there is no topic "
        assert waiting.until(lambda: _kafka(gateway)["detail"].startswith(missing), 20)
        assert _kafka(gateway)["state"] == "down"
        reason = _kafka(gateway)["detail"]
        assert "python -m broker ensure-topics" in reason
        assert gateway.log.count("ensure-topics") == 1

        topics.make(kafka, topic)

        assert waiting.until(lambda: gateway.ready, 20)
        assert _takes(gateway, "after")
