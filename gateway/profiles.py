"""`POST /user_profiles/{cookie}`: the recent history of one user."""

import re
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec
from fastapi import Request, Response

from gateway import asgi, debug, fields, parameters, patience, time_ranges
from gateway.errors import FieldError
from schemas import codec, wire

MAX_LIMIT: Final = 200
_DIGITS: Final = re.compile(r"[0-9]{1,9}")


class Profile(Protocol):
    """Encoded tags, newest first."""

    @property
    def views(self) -> Sequence[bytes]: ...
    @property
    def buys(self) -> Sequence[bytes]: ...


class ProfileReader(Protocol):
    """Where profiles come from: any `stores.profiles.ProfileStore`."""

    async def read(self, cookie: str, from_ms: int, to_ms: int, limit: int) -> Profile:
        """At most `limit` tags of each action with `from_ms <= time < to_ms`."""


class ProfileQuery(msgspec.Struct, frozen=True):
    """Whose tags, from which milliseconds since 1970 (inclusive) to which (exclusive), and how many of each action."""

    cookie: str
    from_ms: int
    to_ms: int
    limit: int


class UserProfile(msgspec.Struct, frozen=True):
    """The answer."""

    cookie: str
    views: list[wire.Tag]
    buys: list[wire.Tag]


class UserProfiles:
    """The endpoint."""

    def __init__(self, reader: ProfileReader, debugger: debug.Debugger, timeout_s: float) -> None:
        self._reader = reader
        self._debugger = debugger
        self._timeout_s = timeout_s

    async def answer(self, request: Request) -> Response:
        """Read and answer. Raises what gateway/answers.py has a status for."""
        query = parse(request.scope)
        expected = await self._debugger.read_expected(request.receive)
        reading = self._reader.read(query.cookie, query.from_ms, query.to_ms, query.limit)
        found = await patience.within(self._timeout_s, reading)
        given = msgspec.json.encode(
            UserProfile(query.cookie, [_tag(value) for value in found.views], [_tag(value) for value in found.buys])
        )
        self._debugger.check_profile(request.scope, expected, given)
        return Response(given, media_type="application/json")


class Limit:
    """How many tags of each action."""

    takes: Final = f"an integer from 1 to {MAX_LIMIT}"

    def problem(self, loc: fields.Loc, value: object) -> FieldError | None:
        if isinstance(value, str) and _DIGITS.fullmatch(value) and 1 <= int(value) <= MAX_LIMIT:
            return None
        return fields.bad(self, loc, f"is {fields.shown(value)}", "int_range")


def parse(scope: asgi.Scope) -> ProfileQuery:
    """The query that a request asks. Raises `errors.Malformed` and `errors.Invalid`."""
    given = parameters.Parameters(scope)
    cookie = parameters.rest_of_path(scope)
    given.note(fields.Text().problem(("path", "cookie"), cookie))
    time_range = given.required("time_range", time_ranges.MILLIS)
    limit = given.optional("limit", Limit())
    given.settle()
    from_ms, to_ms = time_ranges.MILLIS.read(time_range)
    return ProfileQuery(cookie, from_ms, to_ms, MAX_LIMIT if limit is None else int(limit))


def _tag(value: bytes) -> wire.Tag:
    return wire.of_tag(codec.decode_tag(value))
