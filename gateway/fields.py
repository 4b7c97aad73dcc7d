"""What each kind of field takes, and the sentence that says so. For bodies and for parameters alike."""

from collections.abc import Sequence
from typing import Final, Protocol

from gateway.errors import FieldError
from schemas.wire import MAX_BYTES, MAX_CHARACTERS

Loc = tuple[str, ...]


class Kind(Protocol):
    """A kind of field. `takes` completes the sentence "it takes ..."."""

    @property
    def takes(self) -> str: ...

    def problem(self, loc: Loc, value: object) -> FieldError | None:
        """What is wrong with `value`; None if nothing is."""


class Text:
    """One of the strings of a tag or of a query."""

    takes: Final = f"a string of 1 to {MAX_CHARACTERS} characters, at most {MAX_BYTES} bytes of UTF-8, without U+0000"

    def problem(self, loc: Loc, value: object) -> FieldError | None:
        if not isinstance(value, str):
            return bad(self, loc, f"is {shown(value)}", "string_type")
        if not value:
            return bad(self, loc, "is empty", "string_too_short")
        if "\0" in value:
            return bad(self, loc, "contains U+0000", "string_nul")
        if len(value) > MAX_CHARACTERS:
            return bad(self, loc, f"has {len(value)} characters", "string_too_long")
        if (size := len(value.encode())) > MAX_BYTES:
            return bad(self, loc, f"has {size} bytes of UTF-8", "string_too_long")
        return None


class OneOf:
    """One of some words, case-sensitive."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self.takes = words(allowed)
        self._allowed = allowed

    def problem(self, loc: Loc, value: object) -> FieldError | None:
        if isinstance(value, str) and value in self._allowed:
            return None
        return bad(self, loc, f"is {shown(value)}", "enum")


class Integer:
    """A signed integer of some bits."""

    def __init__(self, bits: int) -> None:
        self._low, self._high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        self.takes = f"an int{bits}, a number from {self._low} to {self._high} without fraction or exponent"

    def problem(self, loc: Loc, value: object) -> FieldError | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return bad(self, loc, f"is {shown(value)}", "int_type")
        if not self._low <= value <= self._high:
            return bad(self, loc, "is out of range", "int_range")
        return None


class Object:
    """A JSON object."""

    takes: Final = "an object"

    def problem(self, loc: Loc, value: object) -> FieldError | None:
        return None if isinstance(value, dict) else bad(self, loc, f"is {shown(value)}", "object_type")


def bad(kind: Kind, loc: Loc, why: str, word: str) -> FieldError:
    """`price is 'x': it takes an int32`, with a word for programs."""
    return FieldError(loc, f"{loc[-1]} {why}: it takes {kind.takes}", word)


def missing(kind: Kind, loc: Loc) -> FieldError:
    """The field is not there."""
    return bad(kind, loc, "is missing", "missing")


def words(allowed: Sequence[str]) -> str:
    """`A, B or C`."""
    return f"{', '.join(allowed[:-1])} or {allowed[-1]}"


def shown(value: object) -> str:
    """What was given, short enough for a message: a string or a fraction itself, of all else what JSON calls it."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "a number"
        case float():
            return str(value)
        case str():
            return repr(value if len(value) <= 40 else value[:40] + "…")
        case list():
            return "an array"
        case _:
            return "an object"
