"""Where a system is served: `http://HOST:PORT`, `https://HOST` or `https://HOST:PORT`."""

import ssl
from typing import Final
from urllib.parse import urlsplit

from simulator import client

_PORTS: Final = {"http": 80, "https": 443}


def pool(url: str, connections: int, waiting: int, ca_file: str | None = None) -> client.Pool:
    """Connections to `url`; a certificate of https must be for its host, and signed by one of `ca_file`."""
    parts = urlsplit(url)
    port = parts.port or _PORTS[parts.scheme]
    tls = _tls(ca_file) if parts.scheme == "https" else None
    return client.Pool(parts.hostname or "", port, connections, waiting, tls)


def host(url: str) -> str:
    """What the Host header says."""
    return urlsplit(url).netloc


def _tls(ca_file: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context
