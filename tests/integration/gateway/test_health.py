"""Readiness: every dependency once, then only Kafka. And the other things that operators ask."""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from devstack import waiting
from devstack.kafka import KafkaServer
from devstack.postgres import PostgresServer
from runtime.settings import DatabaseSettings
from tests.support import databases, gateways, services, topics
from tests.support.gateways import Gateway
from tests.support.tags import tag

QUERY = {"time_range": "2022-03-01T00:05:00_2022-03-01T00:06:00", "action": "BUY", "aggregates": "COUNT"}


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A server that the test may stop."""
    with services.required(), services.running_postgres() as server:
        yield server


def test_the_body_names_each_dependency_and_its_state(gateway: Gateway) -> None:
    answer = gateway.get("/readyz")

    assert answer.status == 200
    assert answer.json == {
        "ready": True,
        "stopping": False,
        "dependencies": {
            "kafka": {"state": "up", "vital": True, "detail": ""},
            "profiles": {"state": "up", "vital": False, "detail": ""},
            "aggregates": {"state": "up", "vital": False, "detail": ""},
        },
    }


def test_without_postgresql_a_gateway_becomes_ready_only_when_it_answered_once(
    kafka: KafkaServer, own_postgres: PostgresServer, topic: str
) -> None:
    settings = topics.make(kafka, topic)
    with databases.fresh(own_postgres) as database:
        own_postgres.stop()
        with gateways.running(settings, database, ready=False, probe_interval_ms=200) as gateway:
            assert waiting.until(lambda: gateway.get("/readyz").json["dependencies"]["kafka"]["state"] == "up", 20)
            assert gateway.get("/readyz").status == 503
            assert gateway.post_tag(tag()).status == 204

            own_postgres.start()
            own_postgres.wait_ready()

            assert waiting.until(lambda: gateway.ready, 40)


def test_postgresql_failing_over_leaves_the_gateway_ready_and_queries_get_503_in_time(
    kafka: KafkaServer, own_postgres: PostgresServer, topic: str
) -> None:
    settings = topics.make(kafka, topic)
    limits: dict[str, Any] = {"probe_interval_ms": 200, "profiles_timeout_ms": 1000, "aggregates_timeout_ms": 1500}
    with databases.fresh(own_postgres) as database, gateways.running(settings, database, **limits) as gateway:
        for break_it in (own_postgres.pause, own_postgres.kill):
            break_it()
            for ask in (partial(gateway.aggregates, QUERY), partial(gateway.profile, "c")):
                started = time.monotonic()
                answer = ask()
                assert (answer.status, answer.headers["retry-after"]) == (503, "1")
                assert set(answer.json) == {"detail"}
                assert time.monotonic() - started < 6
            assert waiting.until(
                lambda: gateway.get("/readyz").json["dependencies"]["aggregates"]["state"] == "down", 20
            )
            assert gateway.get("/readyz").status == 200
            assert gateway.post_tag(tag()).status == 204
            own_postgres.resume()
        own_postgres.start()
        own_postgres.wait_ready()
        assert waiting.until(lambda: gateway.aggregates(QUERY).status == 200, 40)
        assert waiting.until(lambda: gateway.profile("c").status == 200, 40)
        assert "Traceback" not in gateway.log


def test_healthz_and_metrics(gateway: Gateway) -> None:
    assert gateway.get("/healthz").json == {"alive": True, "detail": ""}
    assert gateway.metric('allezone_gateway_dependency_up{dependency="kafka"}') == 1
    assert gateway.get("/metrics").headers["content-type"].startswith("text/plain; version=")


def test_no_metric_has_a_cookie_or_an_unbounded_path_in_its_labels(gateway: Gateway) -> None:
    gateway.profile("cookie-in-no-label")
    gateway.get("/path-in-no-label")

    text = gateway.get("/metrics").body.decode()

    assert "in-no-label" not in text
    assert 'endpoint="/user_profiles/{cookie}",status="200"' in text
    assert 'endpoint="other",status="404"' in text


def test_the_backlog_of_each_group_is_told_per_partition(
    kafka: KafkaServer, database: DatabaseSettings, topic: str
) -> None:
    settings = topics.make(kafka, topic, partitions=2)
    with gateways.running(settings, database, profiles_group=f"{topic}-profiles") as gateway:
        for number in range(20):
            assert gateway.post_tag(tag(origin=f"o-{number}")).status == 204
        stored = [message.partition() for message in topics.read(kafka, topic)]
        _commit(kafka, f"{topic}-profiles", TopicPartition(topic, 0, 1))

        answer = gateway.get(f"/queue/allezone/{topic}/backlog")

        assert answer.status == 200
        assert answer.json["total"] == sum(each["count"] for each in answer.json["backlog"]) == 39
        assert {(each["partition"], each["subscription"], each["count"]) for each in answer.json["backlog"]} == {
            ("0", "aggregates", stored.count(0)),
            ("1", "aggregates", stored.count(1)),
            ("0", f"{topic}-profiles", stored.count(0) - 1),
            ("1", f"{topic}-profiles", stored.count(1)),
        }


@pytest.mark.parametrize(
    "path", ["other/{topic}", "allezone/other", "allezone/{topic}x", "/{topic}", "allezone/__consumer_offsets"]
)
def test_the_backlog_of_other_names_is_404(gateway: Gateway, shared_topic: object, path: str) -> None:
    topic = getattr(shared_topic, "kafka_topic", "")

    assert gateway.get(f"/queue/{path.format(topic=topic)}/backlog").status == 404


def _commit(kafka: KafkaServer, group: str, offset: TopicPartition) -> None:
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": group})
    consumer.commit(offsets=[offset], asynchronous=False)
    consumer.close()
