"""The relay, between a client and a server of the test's own."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.stacks.swarm import relay


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a server that sends one message back and closes."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(connection.recv(100))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def _asked(url: str) -> bytes:
    address = "127.0.0.1", int(url.rsplit(":", 1)[1])
    with socket.create_connection(address, 10) as there:
        answer = b""
        with contextlib.suppress(ConnectionResetError):  # closed before it has read
            there.sendall(b"hello")
            while part := there.recv(100):
                answer += part
        return answer


def test_what_a_client_sends_arrives_and_the_answer_comes_back(echo: int) -> None:
    with relay.Relay(lambda: socket.create_connection(("127.0.0.1", echo), 10)) as between:
        assert _asked(between.url) == b"hello"


def test_a_connection_to_where_nobody_is_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]

    with relay.Relay(lambda: socket.create_connection(("127.0.0.1", free), 10)) as between:
        assert _asked(between.url) == b""
