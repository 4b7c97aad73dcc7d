"""`POST /user_profiles/{cookie}`: the recent history of one user."""

import asyncio
import re
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec
from fastapi import Request, Response

from gateway import asgi, debug, fields, parameters
from schemas import codec, timestamps
from schemas.errors import InvalidTimestamp

ENDPOINT: Final = "/user_profiles/{cookie}"
MAX_LIMIT: Final = 200
_LIMIT: Final = re.compile(r"[0-9]{1,9}")


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


class ProductInfo(msgspec.Struct, frozen=True):
    """As it came."""

    product_id: int | str
    brand_id: str
    category_id: str
    price: int


class Tag(msgspec.Struct, frozen=True):
    """A tag in the form in which it was posted."""

    time: str
    cookie: str
    country: str
    device: str
    action: str
    origin: str
    product_info: ProductInfo


class UserProfile(msgspec.Struct, frozen=True):
    """The answer."""

    cookie: str
    views: list[Tag]
    buys: list[Tag]


class UserProfiles:
    """The endpoint."""

    def __init__(self, reader: ProfileReader, debugger: debug.Debugger, timeout_s: float) -> None:
        self._reader = reader
        self._debugger = debugger
        self._timeout_s = timeout_s

    async def answer(self, request: Request) -> Response:
        """Read and answer. Raises what gateway/answers.py has a status for."""
        query = parse(request.scope)
        body = await asgi.read_body(request.receive, self._debugger.max_body_bytes)
        async with asyncio.timeout(self._timeout_s):
            found = await self._reader.read(query.cookie, query.from_ms, query.to_ms, query.limit)
        given = msgspec.json.encode(
            UserProfile(query.cookie, [_tag(value) for value in found.views], [_tag(value) for value in found.buys])
        )
        self._debugger.check_profile(request.scope, body, given)
        return Response(given, media_type="application/json")


def parse(scope: asgi.Scope) -> ProfileQuery:
    """The query that a request asks. Raises `errors.Malformed` and `errors.Invalid`."""
    given = parameters.Parameters(scope)
    cookie = parameters.rest_of_path(scope)
    given.note(fields.text(("path", "cookie"), cookie))
    from_ms, to_ms = _time_range(given)
    limit = _limit(given)
    given.settle()
    return ProfileQuery(cookie, from_ms, to_ms, limit)


def _time_range(given: parameters.Parameters) -> tuple[int, int]:
    text = given.required("time_range")
    if text is None:
        return 0, 0
    try:
        start, end = (timestamps.parse_millis_time(part) for part in text.split("_"))
    except InvalidTimestamp as error:
        given.complain("time_range", f"time_range: {error}", "time_form")
    except ValueError:
        example = f"{timestamps.MILLIS_FORM}_{timestamps.MILLIS_FORM}"
        given.complain("time_range", f"time_range takes two times with _ between them: {example}", "time_range")
    else:
        if start <= end:
            return start, end
        given.complain("time_range", "time_range is reversed: it takes the earlier time first", "time_range")
    return 0, 0


def _limit(given: parameters.Parameters) -> int:
    text = given.optional("limit")
    if text is None:
        return MAX_LIMIT
    if _LIMIT.fullmatch(text) and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    given.complain("limit", f"limit is {fields.shown(text)}: it takes an integer from 1 to {MAX_LIMIT}", "int_range")
    return MAX_LIMIT


def _tag(value: bytes) -> Tag:
    tag = codec.decode_tag(value)
    product = ProductInfo(tag.product_id, tag.brand_id, tag.category_id, tag.price)
    time = timestamps.format_tag_time(tag.time)
    return Tag(time, tag.cookie, tag.country, tag.device, tag.action, tag.origin, product)
