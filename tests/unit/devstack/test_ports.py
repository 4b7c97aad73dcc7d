"""Ports: free, taken and by whom, reserved."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

from devstack import paths, ports


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server((ports.HOST, 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.answers(port)

    assert ports.is_free(port)
    assert not ports.answers(port)


def test_who_listens_can_be_named() -> None:
    with socket.create_server((ports.HOST, 0)) as server:
        listener = ports.listener(server.getsockname()[1])

    assert listener is not None
    assert listener.startswith(f"process {os.getpid()} (")


def test_reserved_ports_are_free_and_given_once() -> None:
    given = [ports.reserve() for _ in range(50)]

    assert len(set(given)) == 50
    assert all(ports.is_free(port) for port in given)


def test_neighbouring_ports_can_be_reserved_together() -> None:
    first = ports.reserve(3)

    assert all(ports.is_free(port) for port in range(first, first + 3))


def test_two_processes_are_never_given_the_same_port() -> None:
    code = "from devstack import ports; print(*(ports.reserve() for _ in range(300))); input()"
    mine = {ports.reserve() for _ in range(300)}
    other = subprocess.Popen(
        [sys.executable, "-c", code], cwd=paths.PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout is not None
        theirs = set(map(int, other.stdout.readline().split()))

    assert len(theirs) == 300
    assert not mine & theirs
