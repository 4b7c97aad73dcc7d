"""The errors of this package, and what each error is to an HTTP client.

GatewayError
├── Malformed       400  no JSON, or bytes that are no UTF-8
├── NotFound        404  a name that this gateway does not serve
├── BodyTooLarge    413
├── Invalid         422  JSON or parameters with fields that do not take what they were given
├── Stopping        503  the process ends before it could answer
└── ClientGone      none: nobody is left to answer
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


class NotFound(GatewayError):
    """The path has the form of one served here, with a name in it that is not."""


class BodyTooLarge(GatewayError):
    """The body has more bytes than the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is over {limit} bytes")


class Stopping(GatewayError):
    """The process ends, and the time that requests had to finish is over."""

    def __init__(self) -> None:
        super().__init__("the gateway is stopping; try again")


class ClientGone(GatewayError):
    """The client went away before its request was complete."""


class Invalid(GatewayError):
    """Fields that do not take what they were given."""

    def __init__(self, fields: Sequence[FieldError]) -> None:
        super().__init__("; ".join(field.msg for field in fields))
        self.fields = fields
