"""Paths and query strings, decoded strictly: what is no percent-encoded UTF-8 is refused, not replaced."""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from gateway import asgi, errors, fields
from gateway.errors import FieldError

_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class Parameters:
    """The parameters of one query string, and the complaints about them, gathered so that one answer has them all."""

    def __init__(self, scope: asgi.Scope) -> None:
        """Raises `errors.Malformed` where the query string is no percent-encoded UTF-8."""
        self.complaints: list[FieldError] = []
        self._values: dict[str, list[str]] = {}
        for pair in scope["query_string"].split(b"&"):
            if pair:
                name, _, value = pair.partition(b"=")
                self._values.setdefault(_form_text(name), []).append(_form_text(value))

    def every(self, name: str) -> list[str]:
        """All values given, in their order."""
        return self._values.get(name, [])

    def optional(self, name: str, kind: fields.Kind) -> str | None:
        """The one value, None if there is none; a complaint unless it is of that kind."""
        return self._one(name, kind) if name in self._values else None

    def required(self, name: str, kind: fields.Kind) -> str:
        """The one value; a complaint unless it is there and of that kind."""
        if name in self._values:
            return self._one(name, kind)
        self.complaints.append(fields.missing(kind, ("query", name)))
        return ""

    def _one(self, name: str, kind: fields.Kind) -> str:
        values, loc = self._values[name], ("query", name)
        if len(values) > 1:  # which of them is meant nobody knows
            self.complaints.append(fields.bad(kind, loc, f"is given {len(values)} times", "repeated"))
        else:
            self.note(kind.problem(loc, values[0]))
        return values[0]

    def note(self, complaint: FieldError | None) -> None:
        """Add a complaint, if it is one."""
        if complaint is not None:
            self.complaints.append(complaint)

    def settle(self) -> None:
        """Raises `errors.Invalid` if there is any complaint."""
        if self.complaints:
            raise errors.Invalid(self.complaints)


def rest_of_path(scope: asgi.Scope) -> str:
    """What follows the first segment of the path, `/` and all. Raises `errors.Malformed` and `errors.NotFound`.

    Read from the raw path: the server's own decoding has replaced what is no UTF-8.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    first, *rest = raw.removeprefix(b"/").split(b"/", 1)
    if not rest or "/" in text(first):  # an escaped / separates nothing
        message = "there is nothing of this name"
        raise errors.NotFound(message)
    return text(rest[0])


def text(raw: bytes) -> str:
    """Percent-encoded UTF-8 as text. Raises `errors.Malformed`."""
    if _BROKEN_ESCAPE.search(raw):
        message = "the URL has a % that no two hexadecimal digits follow"
        raise errors.Malformed(message)
    try:
        return unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"the URL is not percent-encoded UTF-8: {error.reason}"
        raise errors.Malformed(message) from error


def _form_text(raw: bytes) -> str:
    return text(raw.replace(b"+", b" "))
