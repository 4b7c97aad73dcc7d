"""A client of one gateway that posts events and asks for sums and profiles, and watches how it is answered."""

import http.client
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlencode

import msgspec

from devstack import ports
from schemas import timestamps
from tests.faults import history, tagging
from tests.faults.background import Background

_ANSWER_SECONDS: Final = 30.0
_POSTS_A_SECOND: Final = 10.0
_QUERIES_A_SECOND: Final = 4.0
_TEN_MINUTES_MS: Final = 600_000


class Visitor:
    """Two threads from `__enter__` to `__exit__`, for a query may hang where a post must not.

    `posts`, `sums` and `profiles` are answers by HTTP status; 0 is none at all. `speechless` are answers of 503 that
    say nothing.
    """

    def __init__(self, port: int, log: history.History, prefix: str) -> None:
        self.posts: Counter[int] = Counter()
        self.sums: Counter[int] = Counter()
        self.profiles: Counter[int] = Counter()
        self.speechless = 0
        self._port, self._log, self._prefix = port, log, prefix
        self._number = 0
        self._threads = ExitStack()

    def __enter__(self) -> Self:
        self._threads.enter_context(_Often("visitor that posts", self._post, _POSTS_A_SECOND))
        self._threads.enter_context(_Often("visitor that asks", self._ask, _QUERIES_A_SECOND))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._threads.__exit__(kind, error, at)

    def complaints(self) -> list[str]:
        """What no store that is away excuses, in sentences."""
        wrong = []
        if set(self.posts) != {204}:
            wrong.append(f"events need Kafka alone, and were answered with {dict(self.posts)}")
        for what, answers in (("sums", self.sums), ("profiles", self.profiles)):
            if set(answers) != {200, 503}:
                wrong.append(f"queries of {what} were answered with {dict(answers)}, not with 200 and 503")
        if self.speechless:
            wrong.append(f"{self.speechless} answers of 503 have no sentence")
        return wrong

    def _post(self) -> None:
        name, sent = f"{self._prefix}-{self._number}", time.time()
        status, _ = self._answer("/user_tags", tagging.body(name, self._number))
        self._number += 1
        self.posts[status] += 1
        self._log.note(name, sent, _OUTCOMES.get(status, history.UNKNOWN))

    def _ask(self) -> None:
        tag = tagging.tag(self._prefix, self._number)
        minute = timestamps.minute_of(tag.time)
        ends = f"{timestamps.format_minute(minute)}_{timestamps.format_minute(minute + 10)}"
        query = {"time_range": ends, "action": tag.action, "aggregates": "COUNT", "origin": f"{self._prefix}-0"}
        self._count(self.sums, f"/aggregates?{urlencode(query)}")
        moments = [timestamps.format_millis_time(tag.time + each) for each in (-_TEN_MINUTES_MS, _TEN_MINUTES_MS)]
        self._count(self.profiles, f"/user_profiles/{self._prefix}-0?{urlencode({'time_range': '_'.join(moments)})}")

    def _count(self, answers: Counter[int], target: str) -> None:
        status, body = self._answer(target)
        answers[status] += 1
        if status == http.client.SERVICE_UNAVAILABLE and not _sentence(body):
            self.speechless += 1

    def _answer(self, target: str, body: bytes = b"") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(ports.HOST, self._port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("POST", target, body)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()


class _Often(Background):
    def __init__(self, name: str, visit: Callable[[], None], times_a_second: float) -> None:
        super().__init__(name)
        self._visit, self._pause_s = visit, 1 / times_a_second

    def _run(self) -> None:
        while not self._over.wait(self._pause_s):
            self._visit()


_OUTCOMES: Final[dict[int, history.Status]] = {204: history.ACKNOWLEDGED, 400: history.REFUSED}


class _Complaint(msgspec.Struct):
    detail: str


def _sentence(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Complaint).detail
    except msgspec.DecodeError:
        return ""
