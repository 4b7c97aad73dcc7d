"""What goes over the wire: requests as bytes, and the bodies of answers in the form of docs/contract.md 2 to 4."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import quote

import msgspec

from simulator import oracle, questions, stream, times

_encode: Final = msgspec.json.Encoder().encode
_FILTER_NAMES: Final = ("origin", "brand_id", "category_id")


class ProfileAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to a profile query."""

    cookie: str
    views: list[stream.Tag]
    buys: list[stream.Tag]


class AggregateAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to an aggregates query."""

    columns: list[str]
    rows: list[list[str]]


Answer = ProfileAnswer | AggregateAnswer


class Requests:
    """Renders requests for one host."""

    def __init__(self, host: str, token: str | None = None) -> None:
        """`host` is what the Host header says; `token` goes with every request."""
        head = f" HTTP/1.1\r\nHost: {host}\r\n" + (f"Authorization: Bearer {token}\r\n" if token else "")
        self._rest = f"{head}Content-Type: application/json\r\nContent-Length: ".encode()
        self._tag_head = b"POST /user_tags" + self._rest
        self._get_rest = f"{head}\r\n".encode()

    def tag(self, tag: stream.Tag) -> bytes:
        """`POST /user_tags`."""
        body = _encode(tag)
        return b"%b%d\r\n\r\n%b" % (self._tag_head, len(body), body)

    def profile(self, question: questions.ProfileQuestion, expected: Answer | None) -> bytes:
        """`POST /user_profiles/{cookie}`, with the right answer as its body where there is exactly one."""
        since, until = times.millis_text(question.since), times.millis_text(question.until)
        limit = "" if question.limit is None else f"&limit={question.limit}"
        path = f"/user_profiles/{_quoted(question.cookie)}?time_range={since}_{until}{limit}"
        return self._query(path, expected)

    def aggregate(self, question: questions.AggregateQuestion, expected: Answer | None) -> bytes:
        """`POST /aggregates`, likewise."""
        ends = f"{times.minute_text(question.first)}_{times.minute_text(question.end)}"
        columns = "".join(f"&aggregates={column}" for column in question.columns)
        filters = "".join(f"&{name}={_quoted(value)}" for name, value in _filters(question))
        return self._query(f"/aggregates?time_range={ends}&action={question.action}{columns}{filters}", expected)

    def get(self, path: str) -> bytes:
        """`GET` of a page for operators."""
        return b"GET " + path.encode() + self._get_rest

    def _query(self, path: str, expected: Answer | None) -> bytes:
        body = b"" if expected is None else _encode(expected)
        return b"POST %b%b%d\r\n\r\n%b" % (path.encode(), self._rest, len(body), body)


def aggregate_answer(question: questions.AggregateQuestion, sums: Sequence[oracle.MinuteSum]) -> AggregateAnswer:
    """The answer that counts what is surely stored: one row for every minute, its values strings."""
    filters = _filters(question)
    columns = ["1m_bucket", "action", *(name for name, _ in filters), *(name.lower() for name in question.columns)]
    rows = []
    for minute, total in enumerate(sums, question.first):
        figures = {"COUNT": str(total.count), "SUM_PRICE": str(total.sum_price)}
        values = [value for _, value in filters]
        rows.append(
            [times.minute_text(minute), question.action, *values, *(figures[column] for column in question.columns)]
        )
    return AggregateAnswer(columns, rows)


def _filters(question: questions.AggregateQuestion) -> list[tuple[str, str]]:
    values = (question.origin, question.brand, question.category)
    return [(name, value) for name, value in zip(_FILTER_NAMES, values, strict=True) if value is not None]


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    return quote(text, safe="")
