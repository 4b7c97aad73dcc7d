"""A nameserver in the place of Docker's: addresses of the names that it is told, over UDP on loopback (RFC 1035)."""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import Final

from devstack import ports

_HEADER: Final = struct.Struct(">HHHHHH")  # id, flags, and how many questions, answers, authorities, others
_FOUND: Final = 0x8180  # an answer; recursion was wished for and is there
_NO_SUCH_NAME: Final = 0x8183
_A: Final = 1
_IN: Final = 1
_SECONDS: Final = 600  # Docker's own time to live
_NAME_OF_THE_QUESTION: Final = 0xC000 | _HEADER.size  # a pointer to it


@contextmanager
def answering(known: Set[str]) -> Iterator[int]:
    """The port where every name in `known`, which may change meanwhile, has loopback's address, and others none."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked, connection = self.request
            connection.sendto(_answer(asked, known), self.client_address)

    with socketserver.UDPServer((ports.HOST, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _answer(asked: bytes, known: Set[str]) -> bytes:
    """To the one question of a message. A name that is known has no address but that of IPv4."""
    name, end = _name(asked, _HEADER.size)
    (kind,) = struct.unpack_from(">H", asked, end)
    question = asked[_HEADER.size : end + 4]
    found = name in known
    address = _address() if found and kind == _A else b""
    flags = _FOUND if found else _NO_SUCH_NAME
    return _HEADER.pack(int.from_bytes(asked[:2]), flags, 1, bool(address), 0, 0) + question + address


def _address() -> bytes:
    address = socket.inet_aton(ports.HOST)
    return struct.pack(">HHHIH", _NAME_OF_THE_QUESTION, _A, _IN, _SECONDS, len(address)) + address


def _name(message: bytes, start: int) -> tuple[str, int]:
    """The name that begins at `start`, and where it ends."""
    labels = []
    while length := message[start]:
        labels.append(message[start + 1 : start + 1 + length].decode())
        start += 1 + length
    return ".".join(labels), start + 1
