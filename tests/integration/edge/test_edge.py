"""What the public edge lets through, what it refuses, and that it changes nothing on the way."""

import http.client
import re
import socket
import ssl
import time

import pytest

from devstack import ports, waiting
from tests.integration.edge import edges
from tests.integration.edge.edges import Edge
from tests.integration.edge.recorder import Recorder


@pytest.mark.parametrize(
    "cookie",
    ["a%2Fb", "a%2fb", "a%252Fb", "a/b", "a//b", "a/../b", "a%2F..%2Fb", "%2e%2e", "%C5%BC%20%25", "a;b=c", "a%3Fb"],
)
def test_a_path_goes_through_as_it_came(edge: Edge, upstream: Recorder, cookie: str) -> None:
    target = f"/user_profiles/{cookie}?time_range=x_y&limit=%31"
    upstream.asked.clear()
    assert edge.ask("POST", target, b"").status == 200
    assert [asked.target for asked in upstream.asked] == [target]


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/metrics",
        "/%6detrics",
        "/METRICS",
        "//metrics",
        "/docs",
        "/openapi.json",
        "/debug/mismatches",
        "/healthz",
        "/readyz",
        "/user_tags/../metrics",
        "/user_tags/",
        "/aggregatesx",
    ],
)
def test_what_is_not_public_does_not_exist(edge: Edge, upstream: Recorder, target: str) -> None:
    upstream.asked.clear()
    assert edge.ask("GET", target).status == 404
    assert upstream.asked == []


@pytest.mark.parametrize(("target", "most"), [("/user_tags", 65_536), ("/user_profiles/x?time_range=y", 4_194_304)])
def test_a_body_over_the_limit_is_refused_before_it_is_sent(
    edge: Edge, upstream: Recorder, target: str, most: int
) -> None:
    upstream.asked.clear()
    with edge.socket() as connection:
        connection.sendall(f"POST {target} HTTP/1.1\r\nHost: edge\r\nContent-Length: {most + 1}\r\n\r\n".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 413")
    assert upstream.asked == []
    assert edge.ask("POST", target, b"x" * most).status == 200


def test_headers_that_trickle_in_are_cut_off(edge: Edge, upstream: Recorder) -> None:
    upstream.asked.clear()
    with edge.socket() as connection:
        connection.settimeout(0.1)
        connection.sendall(b"POST /user_tags HTTP/1.1\r\n")
        answer, took = _drip(connection, b"X-Slow: 1\r\n")
    assert b" 408 " in answer.splitlines()[0]
    assert took < edges.SLOW_SECONDS + 5
    assert upstream.asked == []


def test_a_body_that_trickles_in_is_cut_off(edge: Edge, upstream: Recorder) -> None:
    upstream.asked.clear()
    with edge.socket() as connection:
        connection.settimeout(0.1)
        connection.sendall(b"POST /user_tags HTTP/1.1\r\nHost: edge\r\nContent-Length: 1000\r\n\r\n")
        answer, took = _drip(connection, b"x")
    assert b" 408 " in answer.splitlines()[0]
    assert took < edges.SLOW_SECONDS + 5
    assert upstream.asked == []


def test_what_a_client_says_of_its_address_is_not_passed_on(edge: Edge, upstream: Recorder) -> None:
    upstream.asked.clear()
    lies = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "Forwarded": "for=203.0.113.9"}
    assert edge.ask("POST", "/user_tags", b"{}", lies).status == 200
    (asked,) = upstream.asked
    told = {name.lower(): value for name, value in asked.headers.items()}
    assert (told["x-forwarded-for"], told["x-forwarded-proto"]) == (ports.HOST, "https")
    assert "forwarded" not in told


def test_without_tls_there_is_only_the_way_to_it(edge: Edge, upstream: Recorder) -> None:
    upstream.asked.clear()
    connection = http.client.HTTPConnection(ports.HOST, edge.plain_port, timeout=10)
    connection.request("POST", "/user_tags?x=%2F", b"{}")
    response = connection.getresponse()
    connection.close()
    assert (response.status, response.headers["Location"]) == (
        308,
        f"https://{ports.HOST}:{edge.plain_port}/user_tags?x=%2F",
    )
    assert upstream.asked == []


def test_browsers_are_told_to_stay_with_tls(edge: Edge) -> None:
    assert edge.ask("POST", "/user_tags", b"{}").headers["Strict-Transport-Security"]


def test_no_cookie_id_gets_into_the_log(edge: Edge) -> None:
    before = edge.log.count("gateways/gateway1")
    edge.ask("POST", "/user_profiles/somebody-special?time_range=a_b", b"")
    assert waiting.until(lambda: edge.log.count("gateways/gateway1") > before, 10)
    assert "somebody-special" not in edge.log


def test_no_whole_address_of_a_client_gets_into_the_log(edge: Edge) -> None:
    before = edge.log.count("SSL handshake failure")
    edge.ask("GET", "/nothing")
    with socket.create_connection((ports.HOST, edge.tls_port), timeout=10) as connection:
        connection.sendall(b"this is no TLS\r\n\r\n")
        connection.recv(100)
    assert waiting.until(lambda: edge.log.count("SSL handshake failure") > before, 10)
    lines = [line for line in edge.log.splitlines() if re.search(r" \[\d\d/\w{3}/\d{4}:", line)]
    assert {line.split()[0] for line in lines} == {"127.0.0.0"}


def test_a_preflight_is_no_event(edge: Edge) -> None:
    """It passes, and is not counted among those that the objective is about."""
    before = edge.log.count("gateways/gateway1"), edge.log.count("events/gateway1")
    edge.ask("OPTIONS", "/user_tags")
    assert waiting.until(lambda: edge.log.count("gateways/gateway1") > before[0], 10)
    assert edge.log.count("events/gateway1") == before[1]


def _drip(connection: ssl.SSLSocket, piece: bytes) -> tuple[bytes, float]:
    """Send `piece` every tenth of a second until an answer comes; the answer, and the seconds that it took."""
    started = time.monotonic()
    while time.monotonic() - started < 30:
        try:
            if answer := connection.recv(4096):
                return answer, time.monotonic() - started
        except TimeoutError:
            connection.sendall(piece)
    return b"", time.monotonic() - started
