"""Whether a server on loopback answers over HTTP."""

from __future__ import annotations

import http.client

from devstack import ports

_SECONDS = 2.0


def answers(port: int, path: str) -> bool:
    """True if `GET path` is answered with 200."""
    connection = http.client.HTTPConnection(ports.HOST, port, timeout=_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
