"""SIGTERM: unready first, then the requests in flight finish, and every 204 is in the topic."""

import concurrent.futures
import contextlib
import http.client
import json
import signal
import threading
import time

from devstack import ports, waiting
from devstack.kafka import KafkaServer
from runtime.settings import DatabaseSettings
from schemas import codec
from tests.support import databases, gateways, services, topics
from tests.support.gateways import Gateway
from tests.support.tags import tag


class Client(threading.Thread):
    """Posts tags of cookies of its own until the gateway is gone."""

    def __init__(self, gateway: Gateway, name: str) -> None:
        super().__init__(name=name)
        self.acknowledged: list[str] = []
        self.other: list[int] = []
        self._gateway = gateway

    def run(self) -> None:
        connection = http.client.HTTPConnection(self._gateway.host, self._gateway.port, timeout=20)
        with contextlib.closing(connection):
            self._post_over(connection)

    def _post_over(self, connection: http.client.HTTPConnection) -> None:
        for number in range(1_000_000):
            cookie = f"{self.name}-{number}"
            try:
                connection.request("POST", "/user_tags", json.dumps(tag(cookie=cookie)))
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                return
            if response.status == 204:
                self.acknowledged.append(cookie)
            else:
                self.other.append(response.status)


def test_under_load_every_204_is_in_the_topic_and_nobody_gets_an_error(
    kafka: KafkaServer, database: DatabaseSettings, topic: str
) -> None:
    with gateways.running(topics.make(kafka, topic), database, drain_seconds=1) as gateway:
        clients = [Client(gateway, f"client-{number}") for number in range(16)]
        for client in clients:
            client.start()
        assert waiting.until(lambda: all(len(client.acknowledged) > 20 for client in clients), 30)

        gateway.process.send(signal.SIGTERM)
        assert waiting.until(lambda: not gateway.ready, 10, interval=0.01)
        asked = time.monotonic()
        assert gateway.process.wait(20), "did not end within 20 s"
        took = time.monotonic() - asked

        for client in clients:
            client.join(30)
        stored = {codec.decode_tag(value).cookie for value in topics.values(kafka, topic)}
        acknowledged = {cookie for client in clients for cookie in client.acknowledged}
        assert acknowledged <= stored
        # At most the one event that each client had under way when its connection was closed.
        assert len(stored - acknowledged) <= len(clients)
        assert [client.other for client in clients] == [[]] * 16
        assert took < 10
        assert gateway.process.returncode == 0
        assert "Traceback" not in gateway.log


def test_while_it_drains_it_says_so_and_still_serves(
    kafka: KafkaServer, database: DatabaseSettings, topic: str
) -> None:
    with gateways.running(topics.make(kafka, topic), database, drain_seconds=5) as gateway:
        gateway.process.send(signal.SIGTERM)

        assert waiting.until(lambda: gateway.get("/readyz").status == 503, 5)
        assert gateway.get("/readyz").json["stopping"] is True
        assert gateway.post_tag(tag()).status == 204
        gateway.process.send(signal.SIGTERM)
        assert waiting.until(lambda: not ports.answers(gateway.port), 4), "a second SIGTERM did not skip the wait"
        assert gateway.process.wait(20)


def test_with_an_internal_port_that_one_answers_to_the_end(
    kafka: KafkaServer, database: DatabaseSettings, topic: str
) -> None:
    """A balancer asks there, and keeps its connection, while clients still have theirs."""
    settings = topics.make(kafka, topic)
    with gateways.running(settings, database, drain_seconds=5, internal_port=ports.reserve()) as gateway:
        inside = gateway.inside
        with contextlib.closing(http.client.HTTPConnection(inside.host, inside.port, timeout=20)) as balancer:
            gateway.process.send(signal.SIGTERM)

            assert waiting.until(lambda: _asked(balancer) == 503, 5)
            assert inside.get("/readyz").json["stopping"] is True
            assert gateway.post_tag(tag()).status == 204
            gateway.process.send(signal.SIGTERM)
            assert waiting.until(lambda: not ports.answers(gateway.port), 10)
            assert gateway.process.wait(20), "a kept connection held it up"
            assert gateway.process.returncode == 0


def _asked(balancer: http.client.HTTPConnection) -> int:
    balancer.request("GET", "/readyz")
    with balancer.getresponse() as response:
        response.read()
        return response.status


def test_idle_and_half_sent_requests_do_not_keep_it_and_get_no_500(
    kafka: KafkaServer, database: DatabaseSettings, topic: str
) -> None:
    with gateways.running(topics.make(kafka, topic), database) as gateway, contextlib.ExitStack() as connections:
        idle, half = (
            connections.enter_context(
                contextlib.closing(http.client.HTTPConnection(gateway.host, gateway.port, timeout=20))
            )
            for _ in range(2)
        )
        idle.request("GET", "/healthz")
        idle.getresponse().read()
        half.putrequest("POST", "/user_tags")
        half.putheader("Content-Length", "1000")
        half.endheaders()
        half.send(b"{")

        gateway.process.send(signal.SIGTERM)

        assert gateway.process.wait(20), "did not end within 20 s"
        assert gateway.process.returncode == 0
        answer = half.getresponse()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert json.loads(answer.read())["stored"] == "no"
        assert "Traceback" not in gateway.log


def test_with_everything_frozen_it_still_ends_in_time(topic: str) -> None:
    with services.required(), services.running_kafka() as kafka, services.running_postgres() as postgres:
        settings = topics.make(kafka, topic)
        with databases.fresh(postgres) as database, gateways.running(settings, database) as gateway:
            kafka.pause()
            postgres.pause()
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                pool.submit(gateway.post_tag, tag())
                pool.submit(gateway.profile, "c")
                pool.submit(gateway.aggregates, {"time_range": "now"})
                pool.submit(gateway.get, f"/queue/allezone/{topic}/backlog")
                # Its probes find both away: from here on they too hang.
                assert waiting.until(lambda: not gateway.ready, 20)
                gateway.process.send(signal.SIGTERM)
                ended = gateway.process.wait(20)
            kafka.resume()
            postgres.resume()

            assert ended, "did not end within 20 s"
