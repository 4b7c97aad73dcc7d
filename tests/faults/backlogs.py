"""Somebody who wants to know again and again how far the workers are, above all while Kafka is away."""

import http.client
from collections import Counter
from typing import Final

from devstack import ports
from tests.faults.background import Background

_PAUSE_S: Final = 0.1
_ANSWER_S: Final = 30.0


class Asking(Background):
    """Asks one gateway for the backlog of a topic. `answers` by HTTP status; 0 is none at all."""

    def __init__(self, port: int, topic: str) -> None:
        super().__init__("backlog")
        self.answers: Counter[int] = Counter()
        self._port, self._target = port, f"/queue/allezone/{topic}/backlog"

    def complaints(self) -> list[str]:
        """Sentences."""
        if set(self.answers) == {200, 503}:
            return []
        return [f"questions for the backlog were answered with {dict(self.answers)}, not with 200 and 503"]

    def _run(self) -> None:
        while not self._over.wait(_PAUSE_S):
            self.answers[self._ask()] += 1

    def _ask(self) -> int:
        connection = http.client.HTTPConnection(ports.HOST, self._port, timeout=_ANSWER_S)
        try:
            connection.request("GET", self._target)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
