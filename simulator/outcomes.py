"""What an answer to `POST /user_tags` says about the tag, by docs/contract.md 2."""

from enum import Enum

import msgspec

from simulator import client


class Outcome(Enum):
    """Whether the tag is stored."""

    STORED = "stored"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class _Refusal(msgspec.Struct):
    stored: str


def of(answer: client.Answer) -> Outcome:
    """A `204` is stored; a `4xx`, `"stored": "no"` and what was never sent are not; anything else may be."""
    if answer.status == 204:
        return Outcome.STORED
    if answer.status == 0:
        return Outcome.UNKNOWN if answer.sent else Outcome.REFUSED
    if 400 <= answer.status < 500:
        return Outcome.REFUSED
    return Outcome.REFUSED if answer.status == 503 and _says_no(answer.body) else Outcome.UNKNOWN


def _says_no(body: bytes) -> bool:
    try:
        return msgspec.json.decode(body, type=_Refusal).stored == "no"
    except msgspec.DecodeError:
        return False
