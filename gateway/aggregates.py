"""`POST /aggregates`: counts and price sums per minute."""

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec
from fastapi import Request, Response

from gateway import asgi, debug, fields, parameters, patience, time_ranges
from gateway.errors import FieldError
from schemas import tags, timestamps
from stores.aggregates import AggregatesQuery, MinuteAggregates

AGGREGATES: Final = ("COUNT", "SUM_PRICE")
FILTERS: Final = ("origin", "brand_id", "category_id")
_TAKES: Final = f"takes {fields.words(AGGREGATES)}, or each of them once"


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
        expected = await self._debugger.read_expected(request.receive)
        minutes = await patience.within(self._timeout_s, self._reader.query(query))
        given = msgspec.json.encode(table(query, aggregates, minutes))
        self._debugger.check_aggregates(request.scope, expected, given)
        return Response(given, media_type="application/json")


def parse(scope: asgi.Scope) -> tuple[AggregatesQuery, list[str]]:
    """The query that a request asks, and its aggregates in their order. Raises `errors.Malformed`, `errors.Invalid`."""
    given = parameters.Parameters(scope)
    time_range = given.required("time_range", time_ranges.MINUTES)
    action = given.required("action", fields.OneOf(tags.ACTIONS))
    aggregates = _aggregates(given)
    filters = {name: given.optional(name, fields.Text()) for name in FILTERS}
    given.settle()
    from_minute, to_minute = time_ranges.MINUTES.read(time_range)
    return AggregatesQuery(from_minute, to_minute, action, **filters), aggregates


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


def _aggregates(given: parameters.Parameters) -> list[str]:
    """The one parameter that may be given several times."""
    names, loc = given.every("aggregates"), ("query", "aggregates")
    if not names:
        given.note(FieldError(loc, f"aggregates is missing: it {_TAKES}", "missing"))
    elif len(set(names)) < len(names) or not set(names) <= set(AGGREGATES):
        given.note(FieldError(loc, f"aggregates is {fields.shown(', '.join(names))}: it {_TAKES}", "enum"))
    return names
