"""What the edge itself answers has the form of the gateway's answers, and says of an event what is known of it."""

import contextlib
import http.client
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from devstack import ports, waiting
from tests.integration.edge import edges
from tests.integration.edge.edges import Edge
from tests.integration.edge.recorder import Manner, Recorder
from tests.support.gateways import Answer

SETTINGS, MAX_CONCURRENT_STREAMS = 4, 3
EMPTY_SETTINGS = bytes([0, 0, 0, SETTINGS, 0, 0, 0, 0, 0])


@pytest.fixture
def behaving(upstream: Recorder) -> Iterator[Recorder]:
    """The upstream, which answers again afterwards."""
    upstream.asked.clear()
    yield upstream
    upstream.manner = "answer"


def test_with_no_gateway_nothing_is_stored() -> None:
    with edges.running([]) as alone:
        answer = alone.ask("POST", "/user_tags", b"{}")
    _must_be(answer, 503, "no")


def test_what_senders_of_events_are_told_is_counted_apart(upstream: Recorder) -> None:
    """The first promise is measured by it: the edge's own answers are in it, those to other questions are not."""
    with edges.running([]) as alone:
        alone.ask("POST", "/user_tags", b"{}")
        alone.ask("POST", "/aggregates", b"")
        assert waiting.until(lambda: _counted(alone, "5xx") == [1, 1], 10)
    with edges.running([edges.Upstream(upstream.port, upstream.port)]) as served:
        served.ask("GET", "/metrics")  # refused before it has a backend
        for target in ("/user_tags", "/aggregates", "/user_profiles/x", "/queue/x"):
            served.ask("POST", target, b"")
        assert waiting.until(lambda: _counted(served, "2xx") == [1, 3], 10)
        assert _counted(served, "4xx") == [0, 0]


def test_a_gateway_that_lets_nobody_in_has_stored_nothing(upstream: Recorder) -> None:
    """Its port is closed, as that of a container that has just gone, and its last check was good."""
    with edges.running([edges.Upstream(ports.reserve(), upstream.port)]) as before_it:
        answer = before_it.ask("POST", "/user_tags", b"{}")
    _must_be(answer, 503, "no")


@pytest.mark.parametrize(
    ("manner", "status"), [("say nothing", 504), ("break off", 502), ("answer something else", 502)]
)
def test_of_an_event_that_a_gateway_had_nothing_is_known(
    edge: Edge, behaving: Recorder, manner: Manner, status: int
) -> None:
    behaving.manner = manner
    answer = edge.ask("POST", "/user_tags", b"{}")
    _must_be(answer, status, "unknown")
    assert len(behaving.asked) == 1, "an event is sent to a gateway once"


def test_an_event_that_is_too_long_is_not_stored(edge: Edge) -> None:
    answer = _raw(edge, b"POST /user_tags HTTP/1.1\r\nHost: edge\r\nContent-Length: 65537\r\n\r\n")
    _must_be(answer, 413, "no")


@pytest.mark.parametrize(
    "text",
    [
        b"POST /user_tags HTTP/1.1\r\nHost: edge\r\nContent-Length: 9\r\n\r\n{",
        b"POST /user_tags HTTP/1.1\r\nHost: edge\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{",
    ],
)
def test_an_event_that_does_not_arrive_in_time_is_not_stored(edge: Edge, text: bytes) -> None:
    _must_be(_raw(edge, text), 408, "no")


def test_headers_that_do_not_arrive_in_time_are_told_so(edge: Edge) -> None:
    _must_be_early(_raw(edge, b"POST /user_tags HTTP/1.1\r\nHost:"), 408)


def test_what_does_not_exist_is_told_as_a_gateway_tells_it(edge: Edge) -> None:
    answer = edge.ask("GET", "/metrics")
    assert (answer.status, answer.json) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize(
    "text",
    [
        b"POST /user_tags HTTP/1.1\r\nHost: edge\r\nno header\r\n\r\n",
        b"POST /user_tags HTTP/1.1\r\nHost: edge\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n",
        b"\x00\r\n\r\n",
    ],
)
def test_what_is_no_http_is_not_stored(edge: Edge, upstream: Recorder, text: bytes) -> None:
    upstream.asked.clear()
    _must_be_early(_raw(edge, text), 400)
    assert upstream.asked == []


def test_headers_that_are_too_long_are_not_stored(edge: Edge, upstream: Recorder) -> None:
    upstream.asked.clear()
    answer = _raw(edge, b"POST /user_tags HTTP/1.1\r\nHost: edge\r\nX: " + b"x" * 40_000 + b"\r\n\r\n")
    _must_be_early(answer, 400 if edges.answers_early_errors_itself() else 431)
    assert upstream.asked == []


def test_a_kept_connection_ends_unanswered_with_its_gateway(edge: Edge, behaving: Recorder) -> None:
    """HAProxy leaves it to the client to ask again. Of the event nothing is known then, as the contract says."""
    with contextlib.closing(edge.connect()) as connection:
        connection.request("POST", "/user_tags", b"{}")
        assert connection.getresponse().read() == b""
        behaving.manner = "break off"
        connection.request("POST", "/user_tags", b"{}")
        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
    assert len(behaving.asked) == 2, "each was sent to a gateway once"


def test_browsers_are_told_to_stay_with_tls_by_errors_too(edge: Edge) -> None:
    assert edge.ask("GET", "/metrics").headers["Strict-Transport-Security"]


def test_one_address_does_not_use_up_the_connections_of_all(upstream: Recorder) -> None:
    upstreams = [edges.Upstream(upstream.port, upstream.port)]
    with contextlib.ExitStack() as held:
        limited = held.enter_context(edges.running(upstreams, EDGE_CONNECTIONS_PER_SOURCE="2"))
        for _ in range(2):
            kept = held.enter_context(contextlib.closing(limited.connect()))
            kept.request("POST", "/user_tags", b"{}")
            assert kept.getresponse().status != 429
        _must_be(limited.ask("POST", "/user_tags", b"{}"), 429, "no")
        for _ in range(6):  # without a word: what counts is that they are there, and the last ones are not let in
            with contextlib.suppress(ConnectionError):
                held.enter_context(socket.create_connection((ports.HOST, limited.tls_port), timeout=10))
        assert _ended_by_the_edge(limited.tls_port)


def test_one_connection_of_http2_asks_few_things_at_once(edge: Edge) -> None:
    """By the edge's own word, the first frame that it sends (RFC 9113, 6.5)."""
    with edge.socket("h2") as connection, connection.makefile("rb") as stream:
        assert connection.selected_alpn_protocol() == "h2"
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + EMPTY_SETTINGS)
        head = stream.read(9)
        assert head[3] == SETTINGS
        settings = dict(struct.iter_unpack(">HI", stream.read(int.from_bytes(head[:3]))))
    assert settings[MAX_CONCURRENT_STREAMS] == 4


def test_grafana_is_for_who_comes_from_the_node_itself(upstream: Recorder) -> None:
    upstreams = [edges.Upstream(upstream.port, upstream.port)]
    with edges.running(upstreams, grafana=upstream.port, EDGE_OPERATORS="127.0.0.0/8") as inside:
        assert _plain(inside.operators_port) == 200
    with edges.running(upstreams, grafana=upstream.port) as outside:
        assert _plain(outside.operators_port) == 403


def _counted(edge: Edge, code: str) -> list[int]:
    return [edge.answers(backend, code) for backend in edges.BACKENDS]


def _must_be(answer: Answer, status: int, stored: str) -> None:
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/json"
    content: dict[str, Any] = answer.json
    assert content["stored"] == stored
    assert isinstance(content["detail"], str)
    if status == 429 or status >= 500:
        assert answer.headers["Retry-After"] == "1"


def _must_be_early(answer: Answer, status: int) -> None:
    """Before there was a request."""
    if edges.answers_early_errors_itself():
        assert answer.status == status
    else:
        _must_be(answer, status, "no")


def _raw(edge: Edge, text: bytes) -> Answer:
    """The answer to what is written as it is."""
    with edge.socket() as connection:
        connection.sendall(text)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return Answer(response.status, response.headers, response.read())


def _ended_by_the_edge(port: int) -> bool:
    """Whether a new connection ends before a word is said. One that is let in waits for a word for longer."""
    try:
        with socket.create_connection((ports.HOST, port), timeout=10) as connection:
            return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def _plain(port: int) -> int:
    connection = http.client.HTTPConnection(ports.HOST, port, timeout=10)
    try:
        connection.request("GET", "/login")
        return connection.getresponse().status
    finally:
        connection.close()
