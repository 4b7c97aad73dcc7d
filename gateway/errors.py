"""The errors of this package, and what each error is to an HTTP client.

GatewayError
├── Malformed            400  no JSON, or bytes that are no UTF-8
├── NotAdmitted               refused before anything of the body was read
│   ├── Unauthenticated  401  no token, or none that is valid
│   ├── Forbidden        403  a token for other things
│   └── TooManyRequests  429  more than one client may ask
├── NotFound             404  a name that this gateway does not serve
├── BodyTooLarge         413
├── HeadersTooLarge      431  the request line and headers
├── Invalid              422  JSON or parameters with fields that do not take what they were given
├── Stopping             503  the process ends before it could answer
├── ClientGone           none: nobody is left to answer
└── BrokenTokens         none: TOKENS_FILE is not what it must be; told to the operator
"""

from collections.abc import Sequence

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """One entry of a 422's `detail`, in FastAPI's shape: where, what it takes, and a word for programs."""

    loc: tuple[str, ...]
    msg: str
    type: str


class GatewayError(Exception):
    """Base of everything that gateway/ raises."""


class Malformed(GatewayError):
    """Not JSON, or not UTF-8; the message says which and where."""


class NotAdmitted(GatewayError):
    """Not let in. `headers` are those that the answer has beside the usual ones."""

    headers: tuple[tuple[bytes, bytes], ...] = ()


class Unauthenticated(NotAdmitted):
    """Nobody knows who asks."""

    def __init__(self, message: str, error: str | None) -> None:
        """`error` is RFC 6750's word; none where no token was sent at all (its section 3.1)."""
        super().__init__(message)
        self.headers = (_challenge() if error is None else _challenge(f'error="{error}"'),)


class Forbidden(NotAdmitted):
    """The token is valid, but for other things."""

    def __init__(self, name: str, needed: str) -> None:
        super().__init__(f"the token of {name} has not the scope that this needs: {needed}")
        self.headers = (_challenge('error="insufficient_scope"', f'scope="{needed}"'),)


class TooManyRequests(NotAdmitted):
    """One client asks more often than it may."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"too many requests from one client; try again in {retry_after_s} s")
        self.headers = ((b"retry-after", b"%d" % retry_after_s),)


class NotFound(GatewayError):
    """The path has the form of one served here, with a name in it that is not."""


class BodyTooLarge(GatewayError):
    """The body has more bytes than the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is over {limit} bytes")


class HeadersTooLarge(GatewayError):
    """The request line and headers have more bytes than the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the headers are over {limit} bytes")


class Stopping(GatewayError):
    """The process ends, and the time that requests had to finish is over."""

    def __init__(self) -> None:
        super().__init__("the gateway is stopping; try again")


class ClientGone(GatewayError):
    """The client went away before its request was complete."""


class BrokenTokens(GatewayError):
    """A file of tokens, or a line of one, that cannot be used; the message says why, without anything of a hash."""


class Invalid(GatewayError):
    """Fields that do not take what they were given."""

    def __init__(self, fields: Sequence[FieldError]) -> None:
        super().__init__("; ".join(field.msg for field in fields))
        self.fields = fields


def _challenge(*parameters: str) -> tuple[bytes, bytes]:
    """RFC 6750, section 3."""
    return b"www-authenticate", ", ".join(['Bearer realm="allezone"', *parameters]).encode()
