"""Connections and questions from within a container's network."""

import ctypes
import http.client
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_SECONDS = 5.0


def connection(pid: int, port: int) -> socket.socket:
    """To 127.0.0.1 in the network of process `pid`. Raises OSError."""
    # A thread of its own enters that network, and ends with it; what it opened stays there.
    with ThreadPoolExecutor(1) as alone:
        return alone.submit(_connection, pid, port).result()


def get(pid: int, port: int, path: str) -> str:
    """What is answered there to a GET. Raises OSError, also where that is no 200."""
    there = http.client.HTTPConnection("127.0.0.1")
    there.sock = connection(pid, port)
    try:
        there.request("GET", path)
        answer = there.getresponse()
        content = answer.read().decode()
    except http.client.HTTPException as error:
        raise OSError(path) from error
    finally:
        there.close()
    if answer.status != 200:
        raise OSError(path)
    return content


def _connection(pid: int, port: int) -> socket.socket:
    descriptor = os.open(Path(f"/proc/{pid}/ns/net"), os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"the network of process {pid} cannot be entered")
    finally:
        os.close(descriptor)
    return socket.create_connection(("127.0.0.1", port), _SECONDS)
