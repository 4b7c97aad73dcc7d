"""Everything that is wrong with the body of a `POST /user_tags`, field by field. The slow reading: bad bodies only."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from gateway import errors, fields
from gateway.errors import FieldError
from schemas import tags, timestamps
from schemas.errors import InvalidTimestamp

MAX_AHEAD_MS: Final = 24 * 3600 * 1000
_MAX_DIGITS: Final = 40  # int() of more digits costs time, and int64 has 19

Check = Callable[[fields.Loc, object], FieldError | None]


class _Object(dict[str, Any]):
    """A JSON object that remembers which names it had more than once."""

    repeated: frozenset[str] = frozenset()


def about(body: bytes, now_ms: int) -> list[FieldError]:
    """What is wrong, in the order of the fields; empty where nothing is. Raises `errors.Malformed`."""
    checks: dict[str, Check] = {
        "time": partial(_time, now_ms),
        "cookie": fields.text,
        "country": fields.text,
        "device": partial(fields.one_of, allowed=tags.DEVICES),
        "action": partial(fields.one_of, allowed=tags.ACTIONS),
        "origin": fields.text,
        "product_info": fields.an_object,
    }
    product_checks: dict[str, Check] = {
        "product_id": _product_id,
        "brand_id": fields.text,
        "category_id": fields.text,
        "price": partial(fields.integer, bits=32),
    }
    tag = _read(body)
    if (problem := fields.an_object(("body",), tag)) is not None:
        return [problem]
    found = [*_check(tag, checks, ("body",))]
    if isinstance(product := tag.get("product_info"), _Object):
        found += _check(product, product_checks, ("body", "product_info"))
    return found


def _read(body: bytes) -> Any:
    """The body as plain values. msgspec judges the syntax, so that both readings take the same texts."""
    try:
        text = body.decode("utf-8")
        msgspec.json.decode(body, type=msgspec.Raw)
        return json.loads(text, object_pairs_hook=_object, parse_int=_int)
    except UnicodeDecodeError as error:
        message = f"the body is not UTF-8: {error.reason} at byte {error.start}"
        raise errors.Malformed(message) from error
    except RecursionError as error:
        message = "the body is nested too deeply"
        raise errors.Malformed(message) from error
    except ValueError as error:
        message = f"the body is not JSON: {error}"
        raise errors.Malformed(message) from error


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        made.repeated = frozenset(name for name in names if names.count(name) > 1)
    return made


def _int(digits: str) -> int:
    return int(digits[:_MAX_DIGITS])


def _check(found: _Object, checks: Mapping[str, Check], loc: fields.Loc) -> Iterator[FieldError]:
    for name, check in checks.items():
        if name not in found:
            yield fields.missing((*loc, name))
        elif (problem := check((*loc, name), found[name])) is not None:
            yield problem
        elif name in found.repeated:
            # The fast reading refused something, and it may have been an earlier one of these.
            yield FieldError((*loc, name), f"{name} is given more than once", "repeated")


def _product_id(loc: fields.Loc, value: object) -> FieldError | None:
    if isinstance(value, str):
        return fields.text(loc, value)
    if isinstance(value, int) and not isinstance(value, bool):
        return fields.integer(loc, value, bits=64)
    message = f"{loc[-1]} is {fields.shown(value)}: it takes a string or an int64"
    return FieldError(loc, message, "string_or_int")


def _time(now_ms: int, loc: fields.Loc, value: object) -> FieldError | None:
    if not isinstance(value, str):
        message = f"time is {fields.kind(value)}: it takes a string of the form {timestamps.TAG_FORM}"
        return FieldError(loc, message, "string_type")
    try:
        time_ms = timestamps.parse_tag_time(value)
    except InvalidTimestamp as error:
        return FieldError(loc, f"time: {error}", "time_form")
    if time_ms > now_ms + MAX_AHEAD_MS:
        message = f"time is {value}: it takes a time at most 24 hours ahead of the server's clock"
        return FieldError(loc, message, "time_ahead")
    return None
