"""The id of one request: in its answer, in logs, and in the header of the record that it becomes.

W3C Trace Context, https://www.w3.org/TR/trace-context/: a client's own `traceparent` is taken over, so that its traces
go on here; anything else that it sends under that name counts as nothing, and is never repeated.
"""

import random
import re
from collections.abc import Iterable
from typing import Final

HEADER: Final = "traceparent"
_NAME: Final = HEADER.encode()
_IDS: Final = rb"(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
# A version to come has these fields too, and may have more behind them.
_FORM: Final = re.compile(rb"00-(" + _IDS + rb")|(?!00|ff)[0-9a-f]{2}-(" + _IDS + rb")(?:-.*)?", re.DOTALL)
# What all ids made here have in common packs well: half of the trace id, as the other half is random enough, and the
# whole of the span's, which needs to differ within its trace alone.
_SYSTEM: Final = random.SystemRandom()
_BEFORE: Final = b"00-%016x" % _SYSTEM.randrange(1, 2**64)
_BEHIND: Final = b"-%016x-00" % _SYSTEM.randrange(1, 2**64)


def of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The `traceparent` of a request with these headers (lower-case names): the client's, if it sent one good one."""
    given = None
    for name, value in headers:
        if name == _NAME:
            given = value if given is None else b""
    if given is None:
        return new()
    return _accepted(given) or new()


def new() -> bytes:
    """Of a trace that begins here; not sampled, as nothing here exports spans."""
    # Not `secrets`: an id is no secret, and a call of the kernel for each costs more than all the rest.
    return _BEFORE + b"%016x" % random.getrandbits(64) + _BEHIND


def request_id(traceparent: bytes) -> bytes:
    """Its trace id: 32 hexadecimal digits."""
    return traceparent[3:35]


def of_record(headers: Iterable[tuple[str, object]]) -> str | None:
    """The trace id that a record's headers name; None where they name none."""
    for name, value in headers:
        if name == HEADER and isinstance(value, bytes) and (accepted := _accepted(value)):
            return request_id(accepted).decode()
    return None


def _accepted(given: bytes) -> bytes | None:
    """In the form of today's version."""
    found = _FORM.fullmatch(given)
    return b"00-" + (found[1] or found[2]) if found else None
