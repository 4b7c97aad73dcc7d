"""The edge's HAProxy with its real configuration, on loopback: ports, certificate and servers are a test's own."""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from devstack import paths, ports, processes, waiting
from tests.support.gateways import Answer

CONFIG: Final = paths.PROJECT / "services" / "haproxy" / "edge.cfg"
BACKENDS: Final = ("events", "gateways")  # each has all gateways
SLOW_SECONDS: Final = 1  # instead of the 5 s that a client has for headers, and for a body
SILENT_SECONDS: Final = 2  # instead of the 65 s that a gateway has for an answer
_SHORTER: Final = (
    ("timeout http-request 5s", f"timeout http-request {SLOW_SECONDS}s"),
    ("wait-for-body time 5s", f"wait-for-body time {SLOW_SECONDS}s"),
    ("timeout server 65s", f"timeout server {SILENT_SECONDS}s"),
)
_SERVERS: Final = "server-template gateway 16 gateway:8088"
_START_SECONDS: Final = 20.0
_ANSWER_SECONDS: Final = 20.0


class Upstream(NamedTuple):
    """A gateway behind the edge; `probes` is the port whose /readyz says whether it takes traffic."""

    port: int
    probes: int


class Ports(NamedTuple):
    """What an edge listens on."""

    tls: int
    plain: int
    operators: int
    probes: int


class Edge:
    """A running edge."""

    def __init__(self, bound: Ports, process: processes.Process, log: Path) -> None:
        self.tls_port, self.plain_port, self.operators_port = bound.tls, bound.plain, bound.operators
        self.process = process
        self._probes_port = bound.probes
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def answers(self, backend: str, code: str) -> int:
        """How many answers of a backend HAProxy has counted in a class of statuses, as "5xx"."""
        series = re.escape(f'haproxy_backend_http_responses_total{{proxy="{backend}",code="{code}"}}')
        (count,) = re.findall(rf"^{series} (\d+)$", _metrics(self._probes_port), re.MULTILINE)
        return int(count)

    def connect(self) -> http.client.HTTPSConnection:
        """A connection over TLS; the certificate is the test's own, and not looked at."""
        return http.client.HTTPSConnection(ports.HOST, self.tls_port, timeout=_ANSWER_SECONDS, context=_trusting())

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own; `target` goes over the wire as it is."""
        connection = self.connect()
        try:
            connection.request(method, target, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    @contextmanager
    def socket(self, *protocols: str) -> Iterator[ssl.SSLSocket]:
        """A connection to write on by hand, in HTTP/1.1 unless other protocols are asked for."""
        plain = socket.create_connection((ports.HOST, self.tls_port), timeout=_ANSWER_SECONDS)
        context = _trusting()
        if protocols:
            context.set_alpn_protocols(protocols)
        with plain, context.wrap_socket(plain, server_hostname="localhost") as secured:
            yield secured


@contextmanager
def running(
    upstreams: Sequence[Upstream], grafana: int = 0, *, impatient: bool = True, **variables: str
) -> Iterator[Edge]:
    """An edge that has found every upstream ready; `grafana` is the port of that, `variables` are the edge's own. One
    that is impatient has SLOW_SECONDS and SILENT_SECONDS. Skips without haproxy or openssl, in CI as well: no package
    of the locked ones has them."""
    for tool in ("haproxy", "openssl"):
        if shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin") is None:
            pytest.skip(f"no {tool} on this machine: the edge was not tried")
    with tempfile.TemporaryDirectory(prefix="allezone-edge-") as folder:
        bound = Ports(*(ports.reserve() for _ in Ports._fields))
        config, certificate, log = Path(folder, "edge.cfg"), Path(folder, "edge.pem"), Path(folder, "edge.log")
        config.write_text(_configuration(upstreams, bound, grafana, impatient))
        _make_certificate(certificate)
        environment = {"PATH": f"{os.environ['PATH']}:/usr/sbin", "EDGE_CERTIFICATE": str(certificate)}
        environment |= {"EDGE_ERRORS": str(CONFIG.with_name("errors")), **variables}
        argv = ["haproxy", "-W", "-db", "-f", str(config)]
        process = processes.Process(processes.Command("edge", argv, log, None, environment))
        try:
            ready = waiting.until(lambda: not process.running or _all_up(bound.probes, len(upstreams)), _START_SECONDS)
            assert ready, log.read_text()
            assert process.running, log.read_text()
            yield Edge(bound, process, log)
        finally:
            process.kill()


def answers_early_errors_itself() -> bool:
    """Whether this HAProxy sends its own page, which nothing can change, for what breaks off before a request is whole.
    Later ones, the stack's too, take the files (its commit d252ec2b, July 2025)."""
    said = subprocess.run(["haproxy", "-v"], capture_output=True, text=True, timeout=20, check=True).stdout
    found = re.search(r"version (\d+)\.(\d+)", said)
    assert found is not None, said
    return (int(found[1]), int(found[2])) < (3, 2)


def _configuration(upstreams: Sequence[Upstream], bound: Ports, grafana: int, impatient: bool) -> str:
    """The real one with what differs on loopback; each replacement must find what it replaces, once."""
    text = CONFIG.read_text("utf-8")
    servers = "\n    ".join(
        f"server gateway{number} {ports.HOST}:{upstream.port} port {upstream.probes} init-addr last,libc,none"
        for number, upstream in enumerate(upstreams, start=1)
    )
    for old, new in (
        ("bind :8443", f"bind {ports.HOST}:{bound.tls}"),
        ("bind :8080", f"bind {ports.HOST}:{bound.plain}"),
        ("bind :8444", f"bind {ports.HOST}:{bound.operators}"),
        ("bind :8404", f"bind {ports.HOST}:{bound.probes}"),
        ("server grafana grafana:3000 resolvers docker init-addr none", f"server grafana {ports.HOST}:{grafana or 1}"),
        *(_SHORTER if impatient else ()),
        ("timeout connect 2s", "timeout connect 2s\n    timeout check 5s"),  # else `inter`: a machine may be busy
        ("maxconn 20000", "maxconn 1000"),  # a connection takes two descriptors, and a laptop's limit may be low
        ("maxconn 7500", "maxconn 500"),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    assert text.count(_SERVERS) == len(BACKENDS)
    return text.replace(_SERVERS, servers)


def _all_up(probes: int, upstreams: int) -> bool:
    """Whether every server of every backend passes its check, by HAProxy's own metrics."""
    try:
        text = _metrics(probes)
    except OSError:
        return False
    return all(f'haproxy_backend_active_servers{{proxy="{name}"}} {upstreams}\n' in text for name in BACKENDS)


def _metrics(probes: int) -> str:
    """What HAProxy counts of its backends."""
    connection = http.client.HTTPConnection(ports.HOST, probes, timeout=2)
    try:
        connection.request("GET", "/metrics?scope=backend")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def _make_certificate(path: Path) -> None:
    key = path.with_suffix(".key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=localhost", "-days", "2", "-keyout", str(key), "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    path.write_bytes(path.read_bytes() + key.read_bytes())


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
