"""A gateway of a test's own: the real process, asked over real HTTP."""

import copy
import http.client
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from devstack import paths, ports, processes, waiting
from runtime.settings import DatabaseSettings, KafkaSettings

START_SECONDS = 30.0
ANSWER_SECONDS = 30.0


class Answer(NamedTuple):
    """One response, read whole."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Gateway:
    """A running `python -m gateway`, asked on the port for clients.

    `inside` is the same one asked on its internal port, where that is another; `token` goes with every request.
    """

    def __init__(self, port: int, process: processes.Process, log: Path, inside: int = 0) -> None:
        self.host, self.port = ports.HOST, port
        self.process = process
        self.token = ""
        self.inside = Gateway(inside, process, log) if inside else self
        self._log = log

    def bearing(self, token: str) -> "Gateway":
        """The same gateway, asked with another token."""
        bearer = copy.copy(self)
        bearer.token = token
        return bearer

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def ask(self, method: str, target: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request on a connection of its own; `target` goes over the wire as it is."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=ANSWER_SECONDS)
        if self.token:
            headers = {"Authorization": f"Bearer {self.token}", **headers}
        try:
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, target: str) -> Answer:
        return self.ask("GET", target)

    def post(self, target: str, body: bytes | None = b"") -> Answer:
        return self.ask("POST", target, body)

    def post_tag(self, tag: Mapping[str, Any]) -> Answer:
        return self.post("/user_tags", json.dumps(tag).encode())

    def profile(self, cookie: str, body: bytes = b"", **parameters: Any) -> Answer:
        """The profile of `cookie`, over all times unless `time_range` is given."""
        asked = {"time_range": "2000-01-01T00:00:00_2099-01-01T00:00:00", **parameters}
        return self.post(f"/user_profiles/{quote(cookie, safe='')}?{urlencode(asked)}", body)

    def aggregates(self, parameters: Mapping[str, Any], body: bytes = b"") -> Answer:
        """A value that is a list is a parameter given several times."""
        return self.post(f"/aggregates?{urlencode(parameters, doseq=True)}", body)

    @property
    def ready(self) -> bool:
        try:
            return self.inside.get("/readyz").status == 200
        except OSError:
            return False

    @property
    def log(self) -> str:
        return self._log.read_text()

    def metric(self, line: str) -> float:
        """The value of the sample that is written as `line`; 0 where there is none."""
        for found in self.inside.get("/metrics").body.decode().splitlines():
            name, _, value = found.rpartition(" ")
            if name == line:
                return float(value)
        return 0.0


@contextmanager
def running(
    kafka: KafkaSettings, database: DatabaseSettings, *, ready: bool = True, **settings: Any
) -> Iterator[Gateway]:
    """A gateway with these settings, ready unless that is not to be waited for; killed afterwards if it still runs."""
    with _running(["-m", "gateway"], kafka, database, settings, ready=ready) as gateway:
        yield gateway


@contextmanager
def planted(defects: str, kafka: KafkaSettings, database: DatabaseSettings, **settings: Any) -> Iterator[Gateway]:
    """The same, ready, whose process runs the code `defects` first."""
    code = f"{defects}\nfrom gateway.__main__ import main\nmain()"
    with _running(["-c", code], kafka, database, settings, ready=True) as gateway:
        yield gateway


@contextmanager
def _running(
    arguments: list[str], kafka: KafkaSettings, database: DatabaseSettings, settings: Mapping[str, Any], *, ready: bool
) -> Iterator[Gateway]:
    port = ports.reserve()
    with tempfile.TemporaryDirectory(prefix="allezone-gateway-") as folder:
        log = Path(folder) / "gateway.log"
        argv = [sys.executable, *arguments]
        told = environment(kafka, database, gateway_port=port, **settings)
        process = processes.Process(processes.Command("gateway", argv, log, paths.PROJECT, told))
        gateway = Gateway(port, process, log, settings.get("internal_port", 0))
        try:
            waiting.until(
                lambda: not process.running or gateway.ready or (not ready and ports.answers(port)), START_SECONDS
            )
            assert process.running, gateway.log
            assert gateway.ready or not ready, gateway.inside.get("/readyz").body
            yield gateway
        finally:
            process.kill()


def environment(kafka: KafkaSettings, database: DatabaseSettings, **settings: Any) -> dict[str, str]:
    """All that the process is told; of this one's environment only what Python itself needs."""
    told = {
        "environment": "local",
        "log_format": "json",
        "drain_seconds": 0,
        "profiles_timeout_ms": 10_000,  # the machine is busy
        **kafka.model_dump(include=set(KafkaSettings.model_fields) - {"environment", "log_level", "log_format"}),
        **database.model_dump(include={"db_host", "db_port", "db_name", "db_user"}),
        "db_password": database.db_password.get_secret_value(),
        **settings,
    }
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return inherited | {name.upper(): str(value) for name, value in told.items()}
