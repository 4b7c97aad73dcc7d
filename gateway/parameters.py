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

    def optional(self, name: str) -> str | None:
        """The one value, or None; twice is a complaint, for which is meant nobody knows."""
        values = self.every(name)
        if len(values) > 1:
            self.complain(name, f"{name} is given {len(values)} times: it takes one value", "repeated")
        return values[0] if len(values) == 1 else None

    def required(self, name: str) -> str | None:
        """The one value; None after a complaint."""
        if name not in self._values:
            self.complaints.append(fields.missing(("query", name)))
        return self.optional(name)

    def complain(self, name: str, message: str, kind: str) -> None:
        """Add a complaint about a parameter."""
        self.complaints.append(FieldError(("query", name), message, kind))

    def note(self, complaint: FieldError | None) -> None:
        """Add a complaint, if it is one."""
        if complaint is not None:
            self.complaints.append(complaint)

    def settle(self) -> None:
        """Raises `errors.Invalid` if there is any complaint."""
        if self.complaints:
            raise errors.Invalid(self.complaints)


def rest_of_path(scope: asgi.Scope) -> str:
    """What follows the first segment of the path, `/` and all. Raises `errors.Malformed`.

    Read from the raw path: the server's own decoding has replaced what is no UTF-8.
    """
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return text(raw.split(b"/", 2)[2])


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
