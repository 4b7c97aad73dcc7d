"""The edge before real gateways: names with slashes arrive whole, and a gateway that goes is not missed."""

import contextlib
import http.client
import signal
import threading
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from devstack import ports, waiting
from devstack.kafka import KafkaServer
from runtime.settings import DatabaseSettings
from tests.integration.edge import edges
from tests.integration.edge.edges import Edge
from tests.support import gateways, tags, topics
from tests.support.gateways import Gateway

RANGE = "time_range=2022-03-22T12:00:00_2022-03-22T13:00:00"


@pytest.fixture
def two(kafka: KafkaServer, database: DatabaseSettings, topic: str) -> Iterator[list[Gateway]]:
    """Two gateways, each with an internal port and time to be seen leaving."""
    settings = topics.make(kafka, topic)
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(gateways.running(settings, database, internal_port=ports.reserve(), drain_seconds=4))
            for _ in range(2)
        ]


@pytest.fixture
def edge(two: list[Gateway]) -> Iterator[Edge]:
    upstreams = [edges.Upstream(gateway.port, gateway.inside.port) for gateway in two]
    with edges.running(upstreams, impatient=False) as running:
        yield running


def test_a_cookie_with_a_slash_is_the_same_behind_the_edge(edge: Edge) -> None:
    for cookie in ("a/b", "a%2Fb", "../x", "ż %"):
        answer = edge.ask("POST", f"/user_profiles/{quote(cookie, safe='')}?{RANGE}", b"")
        assert (answer.status, answer.json["cookie"]) == (200, cookie)


def test_a_body_that_does_not_say_its_length_is_still_limited(edge: Edge) -> None:
    with contextlib.closing(edge.connect()) as connection:
        connection.request("POST", "/user_tags", iter([b"x" * 40_000] * 2), encode_chunked=True)
        response = connection.getresponse()
        response.read()
        assert response.status == 413


def test_a_gateway_that_stops_under_traffic_is_not_missed(edge: Edge, two: list[Gateway]) -> None:
    clients = [Client(edge) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        assert waiting.until(lambda: all(client.statuses.count(204) > 50 for client in clients), 30)
        two[0].process.send(signal.SIGTERM)
        assert waiting.until(lambda: not two[0].process.running, 20)
        after = [len(client.statuses) for client in clients]
        assert waiting.until(
            lambda: all(len(client.statuses) > seen + 50 for client, seen in zip(clients, after, strict=True)), 30
        )
    finally:
        for client in clients:
            client.stop()
    assert {status for client in clients for status in client.statuses} == {204}


class Client(threading.Thread):
    """Posts tags over one connection until it is stopped. A connection that breaks is a status of 0."""

    def __init__(self, edge: Edge) -> None:
        super().__init__()
        self.statuses: list[int] = []
        self._edge = edge
        self._stopped = threading.Event()

    def run(self) -> None:
        with contextlib.closing(self._edge.connect()) as connection:
            while not self._stopped.is_set():
                self.statuses.append(_post(connection))

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def _post(connection: http.client.HTTPSConnection) -> int:
    try:
        connection.request("POST", "/user_tags", tags.body())
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0
    return response.status
