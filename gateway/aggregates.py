"""`POST /aggregates`: counts and price sums per minute."""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec
from fastapi import Request, Response

from gateway import asgi, debug, fields, parameters
from schemas import tags, timestamps
from schemas.errors import InvalidTimestamp
from stores.aggregates import AggregatesQuery, MinuteAggregates

ENDPOINT: Final = "/aggregates"
AGGREGATES: Final = ("COUNT", "SUM_PRICE")
FILTERS: Final = ("origin", "brand_id", "category_id")
MAX_MINUTES: Final = 10


class AggregatesReader(Protocol):
    """Where aggregates come from: `stores.aggregates.AggregatesReader`."""

    async def query(self, query: AggregatesQuery) -> list[MinuteAggregates]:
        """One entry for every minute of the range, ascending."""


class Table(msgspec.Struct, frozen=True):
    """The answer; every value is a string."""

    columns: list[str]
    rows: list[list[str]]


class Aggregates:
    """The endpoint."""

    def __init__(self, reader: AggregatesReader, debugger: debug.Debugger, timeout_s: float) -> None:
        self._reader = reader
        self._debugger = debugger
        self._timeout_s = timeout_s

    async def answer(self, request: Request) -> Response:
        """Read and answer. Raises what gateway/answers.py has a status for."""
        query, aggregates = parse(request.scope)
        body = await asgi.read_body(request.receive, self._debugger.max_body_bytes)
        async with asyncio.timeout(self._timeout_s):
            minutes = await self._reader.query(query)
        given = msgspec.json.encode(table(query, aggregates, minutes))
        self._debugger.check_aggregates(request.scope, body, given)
        return Response(given, media_type="application/json")


def parse(scope: asgi.Scope) -> tuple[AggregatesQuery, list[str]]:
    """The query that a request asks, and its aggregates in their order. Raises `errors.Malformed`, `errors.Invalid`."""
    given = parameters.Parameters(scope)
    from_minute, to_minute = _time_range(given)
    action = given.required("action")
    if action is not None:
        given.note(fields.one_of(("query", "action"), action, tags.ACTIONS))
    aggregates = _aggregates(given)
    filters = {name: given.optional(name) for name in FILTERS}
    for name, value in filters.items():
        given.note(None if value is None else fields.text(("query", name), value))
    given.settle()
    return AggregatesQuery(from_minute, to_minute, action or "", **filters), aggregates


def table(query: AggregatesQuery, aggregates: Sequence[str], minutes: Sequence[MinuteAggregates]) -> Table:
    """The answer to `query`: the bucket, the action, the filters that the query has, the aggregates in its order."""
    filters = {name: value for name in FILTERS if (value := getattr(query, name)) is not None}
    columns = ["1m_bucket", "action", *filters, *(name.lower() for name in aggregates)]
    rows = [
        [timestamps.format_minute(each.minute), query.action, *filters.values(), *_values(each, aggregates)]
        for each in minutes
    ]
    return Table(columns, rows)


def _values(minute: MinuteAggregates, aggregates: Sequence[str]) -> list[str]:
    return [str(minute.count if name == "COUNT" else minute.sum_price) for name in aggregates]


def _time_range(given: parameters.Parameters) -> tuple[int, int]:
    text = given.required("time_range")
    if text is None:
        return 0, 0
    try:
        start, end = (timestamps.parse_minute(part) for part in text.split("_"))
    except InvalidTimestamp as error:
        given.complain("time_range", f"time_range: {error}", "time_form")
        return 0, 0
    except ValueError:
        example = f"{timestamps.SECONDS_FORM}_{timestamps.SECONDS_FORM}"
        given.complain("time_range", f"time_range takes two times with _ between them: {example}", "time_range")
        return 0, 0
    if start > end:
        given.complain("time_range", "time_range is reversed: it takes the earlier time first", "time_range")
    elif end - start > MAX_MINUTES:
        message = f"time_range has {end - start} minutes: it takes at most {MAX_MINUTES}"
        given.complain("time_range", message, "time_range")
    return start, end


def _aggregates(given: parameters.Parameters) -> list[str]:
    names = given.every("aggregates")
    takes = f"aggregates takes {fields.words(AGGREGATES)}, or each of them once"
    if not names:
        given.complain("aggregates", f"aggregates is missing: {takes}", "missing")
    elif len(set(names)) < len(names) or not set(names) <= set(AGGREGATES):
        given.complain("aggregates", f"aggregates is {fields.shown(', '.join(names))}: {takes}", "enum")
    return names
