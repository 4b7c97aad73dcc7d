"""Single events through the edge, and whether they are counted: how long the system is away after a fault."""

import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.stacks.swarm import waiting

_SECONDS = 10.0


class Probe:
    """Speaks TLS to the edge that `connect` leads to, whose name is `name`, and trusts `certificate` alone."""

    def __init__(self, certificate: Path, token: str, name: str, connect: Callable[[], socket.socket]) -> None:
        self._context = ssl.create_default_context(cafile=str(certificate))
        self._token, self._name, self._connect = token, name, connect
        self._sent = 0

    def answers(self, seconds: float) -> float:
        """Seconds until an event is acknowledged. Raises waiting.Late."""
        return waiting.until("an event is acknowledged", lambda: self.send() is not None, seconds)

    def counted(self, seconds: float) -> float:
        """Seconds until an event was acknowledged, counted once and in its profile. Raises waiting.Late."""
        start = time.monotonic()
        self.answers(seconds)
        sent: list[str] = []

        def acknowledged() -> bool:
            sent[:] = [name for name in [self.send()] if name is not None]
            return bool(sent)

        waiting.until("an event is acknowledged", acknowledged, seconds)
        waiting.until(f"event {sent[0]} is counted and shown", lambda: self._shown(sent[0]), seconds)
        return time.monotonic() - start

    def send(self) -> str | None:
        """The name of an event that was acknowledged, None for one that was not."""
        self._sent += 1
        name = f"probe-{time.time_ns()}-{self._sent}"
        now = datetime.now(UTC)
        tag = {
            "time": f"{now:%Y-%m-%dT%H:%M:%S}.000Z",
            "cookie": name,
            "country": "PL",
            "device": "PC",
            "action": "BUY",
            "origin": name,
            "product_info": {"product_id": 1, "brand_id": "brand", "category_id": "category", "price": 7},
        }
        status, _ = self._post("/user_tags", tag)
        return name if status == 204 else None

    def _shown(self, name: str) -> bool:
        minute = datetime.now(UTC).replace(second=0, microsecond=0, tzinfo=None)
        first, end = minute - timedelta(minutes=8), minute + timedelta(minutes=1)
        span = f"time_range={first.isoformat()}_{end.isoformat()}"
        status, profile = self._post(f"/user_profiles/{name}?{span}")
        if status != 200 or len(profile["buys"]) != 1:
            return False
        status, sums = self._post(f"/aggregates?{span}&action=BUY&aggregates=COUNT&aggregates=SUM_PRICE&origin={name}")
        return status == 200 and [row[3:] for row in sums["rows"] if row[3] != "0"] == [["1", "7"]]

    def _post(self, path: str, body: object = None) -> tuple[int, Any]:
        """Status and decoded body; status 0 where no answer came."""
        there = http.client.HTTPConnection(self._name)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            connection = self._connect()
            connection.settimeout(_SECONDS)
            there.sock = self._context.wrap_socket(connection, server_hostname=self._name)
            there.request("POST", path, b"" if body is None else json.dumps(body), headers)
            answer = there.getresponse()
            content = answer.read()
            return answer.status, json.loads(content) if answer.status == 200 else None
        except (OSError, http.client.HTTPException):
            return 0, None
        finally:
            there.close()
