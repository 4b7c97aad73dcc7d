"""Ports on loopback: is one free, and a free one that nobody else will be given."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterator
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


def reserve(count: int = 1) -> int:
    """The first of `count` neighbouring free ports, which nobody else who asks here gets while this process lives."""
    while True:
        first = random.choice(_RANGE)  # noqa: S311 - not a secret
        if all(_lock(port) and is_free(port) for port in range(first, first + count)):
            return first


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


def listener(port: int) -> str | None:
    """Who listens there, as "process 123 (java)"; None where the system does not tell (no Linux, another account)."""
    inodes = {inode for table in ("tcp", "tcp6") for inode in _listening(Path("/proc/net", table), port)}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):  # it ended while we looked, or belongs to somebody else
            if os.readlink(descriptor).removeprefix("socket:[").removesuffix("]") in inodes:
                process = descriptor.parent.parent
                return f"process {process.name} ({(process / 'comm').read_text().strip()})"
    return None


def _listening(table: Path, port: int) -> Iterator[str]:
    """The inodes of sockets that listen on `port`, from one of the kernel's tables."""
    if not table.exists():
        return
    for line in table.read_text().splitlines()[1:]:
        _, local, _, state, *rest = line.split()
        if state == "0A" and int(local.rpartition(":")[2], 16) == port:
            yield rest[5]
