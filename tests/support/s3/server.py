"""S3 in memory (moto) behind TLS, which pgBackRest insists on. HAProxy ends it: moto's own server closes connections
without a word, which TLS takes for an attack."""

from __future__ import annotations

import http.client
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from devstack import ports, processes, servers
from tests.support import environments, programs

LOCK: Final = Path(__file__).with_name("requirements.lock")
BUCKET: Final = "backups"
_ANSWER_SECONDS: Final = 5.0
_SIGNATURE: Final = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=c"
_FRONT: Final = """\
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
listen s3
    bind {front} ssl crt {certificate}
    server moto {behind}
"""


class Store(servers.Server):
    """The store itself; what it holds goes with it."""

    def __init__(self, state: Path) -> None:
        super().__init__("s3", state / "s3.log")
        self.port = ports.reserve()

    def command(self) -> processes.Command:
        program = environments.ensure("s3", [LOCK]) / "moto_server"
        return processes.Command(self.name, [str(program), "-H", ports.HOST, "-p", str(self.port)], self.log)

    def answers(self) -> bool:
        return ports.answers(self.port)


class Front(servers.Server):
    """What clients see: TLS with a certificate that only the test knows. Killed, S3 is away."""

    def __init__(self, state: Path, behind: int) -> None:
        super().__init__("s3-front", state / "s3-front.log")
        self.port, self._behind, self._state = ports.reserve(), behind, state
        self.authority = state / "authority.pem"

    @property
    def endpoint(self) -> str:
        return f"{ports.HOST}:{self.port}"

    def command(self) -> processes.Command:
        (haproxy,) = programs.require("haproxy")
        certificate, config = self._state / "s3.pem", self._state / "s3.cfg"
        if not self.authority.exists():
            _make_certificate(self.authority, certificate)
        behind = f"{ports.HOST}:{self._behind}"
        config.write_text(_FRONT.format(front=self.endpoint, behind=behind, certificate=certificate))
        return processes.Command(self.name, [haproxy, "-db", "-f", str(config)], self.log)

    def answers(self) -> bool:
        return ports.answers(self.port)


@contextmanager
def running(state: Path) -> Iterator[Front]:
    """A store with one empty bucket. Skips without HAProxy or OpenSSL."""
    programs.require("haproxy", "openssl")
    store = Store(state)
    front = Front(state, store.port)
    try:
        for server in (store, front):
            server.start()
            server.wait_ready()
        assert ask(front, "PUT", f"/{BUCKET}")[0] == http.client.OK
        yield front
    finally:
        front.kill()
        store.kill()


def ask(front: Front, method: str, path: str) -> tuple[int, bytes]:
    """Status and body. moto wants to see a signature and does not look at it."""
    trusting = ssl.create_default_context(cafile=str(front.authority))
    connection = http.client.HTTPSConnection(ports.HOST, front.port, timeout=_ANSWER_SECONDS, context=trusting)
    try:
        connection.request(method, path, headers={"Authorization": _SIGNATURE})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _make_certificate(authority: Path, certificate: Path) -> None:
    key = certificate.with_suffix(".key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-subj", "/CN=s3", "-addext", f"subjectAltName=IP:{ports.HOST}", "-days", "2"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(authority)], check=True, capture_output=True, timeout=30)
    certificate.write_bytes(authority.read_bytes() + key.read_bytes())
