"""Ports on loopback: is one free, and a free one that nobody else will be given."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"

# Below Linux's ephemeral range (32768 upwards), where an outgoing connection may take a restarting server's port.
_RANGE = range(20_000, 32_000)

_reserved: list[int] = []  # open file descriptors: they hold the locks for as long as this process lives


def is_free(port: int, host: str = HOST) -> bool:
    """True if a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def answers(port: int, host: str = HOST) -> bool:
    """True if something accepts connections there."""
    with suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def reserve() -> int:
    """A free port which no other process that asks this function gets while this process lives."""
    while True:
        port = random.choice(_RANGE)  # noqa: S311 - not a secret
        if _lock(port) and is_free(port):
            return port


def _lock(port: int) -> bool:
    folder = Path(tempfile.gettempdir(), f"allezone-ports-{os.getuid()}")
    folder.mkdir(exist_ok=True)
    file = os.open(folder / str(port), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    _reserved.append(file)
    return True
