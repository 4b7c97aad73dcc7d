"""What each kind of value takes, and the sentence that says so. For bodies and for parameters alike."""

from collections.abc import Sequence
from typing import Final

from gateway.errors import FieldError

MAX_CHARACTERS: Final = 256
MAX_BYTES: Final = 512
_TEXT: Final = f"takes a string of 1 to {MAX_CHARACTERS} characters, at most {MAX_BYTES} bytes of UTF-8, without U+0000"

Loc = tuple[str, ...]


def missing(loc: Loc) -> FieldError:
    """The field is not there."""
    return FieldError(loc, f"{loc[-1]} is missing", "missing")


def text(loc: Loc, value: object) -> FieldError | None:
    """What is wrong with `value` as one of the strings of a tag or of a query."""
    name = loc[-1]
    if not isinstance(value, str):
        return FieldError(loc, f"{name} is {kind(value)}: it {_TEXT}", "string_type")
    if not value:
        return FieldError(loc, f"{name} is empty: it {_TEXT}", "string_too_short")
    if "\0" in value:
        return FieldError(loc, f"{name} contains U+0000: it {_TEXT}", "string_nul")
    if len(value) > MAX_CHARACTERS:
        return FieldError(loc, f"{name} has {len(value)} characters: it {_TEXT}", "string_too_long")
    if (size := len(value.encode())) > MAX_BYTES:
        return FieldError(loc, f"{name} has {size} bytes of UTF-8: it {_TEXT}", "string_too_long")
    return None


def one_of(loc: Loc, value: object, allowed: Sequence[str]) -> FieldError | None:
    """What is wrong with `value` as one of the words `allowed`, which are case-sensitive."""
    if isinstance(value, str) and value in allowed:
        return None
    return FieldError(loc, f"{loc[-1]} is {shown(value)}: it takes {words(allowed)}", "enum")


def integer(loc: Loc, value: object, bits: int) -> FieldError | None:
    """What is wrong with `value` as a signed integer of `bits` bits."""
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    takes = f"takes an int{bits}, a number from {low} to {high} without fraction or exponent"
    if isinstance(value, bool) or not isinstance(value, int):
        return FieldError(loc, f"{loc[-1]} is {shown(value)}: it {takes}", "int_type")
    if not low <= value <= high:
        return FieldError(loc, f"{loc[-1]} is out of range: it {takes}", "int_range")
    return None


def an_object(loc: Loc, value: object) -> FieldError | None:
    """What is wrong with `value` as a JSON object."""
    if isinstance(value, dict):
        return None
    return FieldError(loc, f"{loc[-1]} is {kind(value)}: it takes an object", "object_type")


def words(allowed: Sequence[str]) -> str:
    """`A, B or C`."""
    return f"{', '.join(allowed[:-1])} or {allowed[-1]}"


def shown(value: object) -> str:
    """What was given, short enough for a message."""
    match value:
        case str():
            return repr(value if len(value) <= 40 else value[:40] + "…")
        case float():
            return str(value)
        case _:
            return kind(value)


def kind(value: object) -> str:
    """What JSON calls the value's type."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"
