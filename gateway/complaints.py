"""Everything that is wrong with the body of a `POST /user_tags`, field by field. The slow reading: bad bodies only."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from gateway import errors, fields
from gateway.errors import FieldError
from schemas import tags, timestamps, wire
from schemas.errors import InvalidTimestamp

_MAX_DIGITS: Final = 40  # int() of more digits costs time, and int64 has 19


class _Object(dict[str, Any]):
    """A JSON object that remembers which names it had more than once."""

    repeated: frozenset[str] = frozenset()


def about(body: bytes, now_ms: int) -> list[FieldError]:
    """What is wrong, in the order of the fields; empty where nothing is. Raises `errors.Malformed`."""
    text = fields.Text()
    kinds: dict[str, fields.Kind] = {
        "time": _Time(now_ms),
        "cookie": text,
        "country": text,
        "device": fields.OneOf(tags.DEVICES),
        "action": fields.OneOf(tags.ACTIONS),
        "origin": text,
        "product_info": fields.Object(),
    }
    product_kinds: dict[str, fields.Kind] = {
        "product_id": _ProductId(),
        "brand_id": text,
        "category_id": text,
        "price": fields.Integer(32),
    }
    tag = _read(body)
    if (problem := fields.Object().problem(("body",), tag)) is not None:
        return [problem]
    found = [*_problems(tag, kinds, ("body",))]
    if isinstance(product := tag.get("product_info"), _Object):
        found += _problems(product, product_kinds, ("body", "product_info"))
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
        counts = Counter(name for name, _ in pairs)
        made.repeated = frozenset(name for name, count in counts.items() if count > 1)
    return made


def _int(digits: str) -> int:
    return int(digits[:_MAX_DIGITS])


def _problems(found: _Object, kinds: Mapping[str, fields.Kind], loc: fields.Loc) -> Iterator[FieldError]:
    for name, kind in kinds.items():
        place = (*loc, name)
        if name not in found:
            yield fields.missing(kind, place)
        elif (problem := kind.problem(place, found[name])) is not None:
            yield problem
        elif name in found.repeated:
            # The fast reading refused something, and it may have been an earlier one of these.
            yield fields.bad(kind, place, "is given more than once", "repeated")


class _ProductId:
    takes: Final = f"{fields.Text.takes}, or an int64"

    def __init__(self) -> None:
        self._text, self._integer = fields.Text(), fields.Integer(64)

    def problem(self, loc: fields.Loc, value: object) -> FieldError | None:
        if isinstance(value, str):
            return self._text.problem(loc, value)
        if isinstance(value, int) and not isinstance(value, bool):
            return self._integer.problem(loc, value)
        return fields.bad(self, loc, f"is {fields.shown(value)}", "string_or_int")


class _Time:
    takes: Final = f"a time of the form {timestamps.TAG_FORM}, UTC, at most 24 hours ahead of the server's clock"

    def __init__(self, now_ms: int) -> None:
        self._latest_ms = now_ms + wire.MAX_AHEAD_MS

    def problem(self, loc: fields.Loc, value: object) -> FieldError | None:
        if not isinstance(value, str):
            return fields.bad(self, loc, f"is {fields.shown(value)}", "string_type")
        try:
            time_ms = timestamps.parse_tag_time(value)
        except InvalidTimestamp as error:
            return FieldError(loc, f"time: {error}; it takes {self.takes}", "time_form")
        if time_ms > self._latest_ms:
            return fields.bad(self, loc, f"is {value}", "time_ahead")
        return None
