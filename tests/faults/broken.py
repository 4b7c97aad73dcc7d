"""Ten records that cannot be counted, each in the place of an event that can."""

import random
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from pipeline.letters import REFUSED, UNDECODABLE
from schemas import codec, registry, tags
from tests.faults import tagging

_BOTH: Final = ("aggregates", "profiles")
_SUMS_ALONE: Final = ("aggregates",)


class Broken(NamedTuple):
    """`name` and `number` are those of the event that it should have been, `groups` the kinds that cannot take it."""

    name: str
    number: int
    kind: str
    value: bytes | None
    reason: str
    groups: tuple[str, ...]


class _Kind(NamedTuple):
    name: str
    spoil: Callable[[tags.UserTag, random.Random], bytes | None]
    reason: str = UNDECODABLE
    groups: tuple[str, ...] = _BOTH


def _fields(**others: Callable[[tags.UserTag], object]) -> Callable[[tags.UserTag, random.Random], bytes]:
    """The event with some fields that its schema takes and a store does not."""
    return lambda tag, _pick: codec.encode_tag(
        msgspec.structs.replace(tag, **{field: of(tag) for field, of in others.items()})
    )


def _other_fingerprint(tag: tags.UserTag, pick: random.Random) -> bytes:
    good = codec.encode_tag(tag)
    return good[:2] + pick.randbytes(registry.HEADER_BYTES - 2) + good[registry.HEADER_BYTES :]


_KINDS: Final = (
    _Kind("bytes of another program", lambda _tag, pick: b"{" + pick.randbytes(30)),
    _Kind("a record cut short", lambda tag, _pick: codec.encode_tag(tag)[:-9]),
    _Kind("a record with a tail", lambda tag, _pick: codec.encode_tag(tag) + b"more"),
    _Kind("an empty value", lambda _tag, _pick: b""),
    _Kind("no value", lambda _tag, _pick: None),
    _Kind("a fingerprint of no schema", _other_fingerprint),
    _Kind("the fingerprint of another schema", lambda tag, _pick: codec.encode_item(tags.item_of(tag))),
    _Kind("U+0000 in cookie and origin", _fields(cookie=lambda t: f"{t.cookie}\0", origin=lambda t: "\0"), REFUSED),
    _Kind("U+0000 in the origin", _fields(origin=lambda _: "\0"), REFUSED, _SUMS_ALONE),
    _Kind("a time beyond all calendars", _fields(time=lambda _: 2**63 - 1), REFUSED, _SUMS_ALONE),
)
COUNT: Final = len(_KINDS)


def records(prefix: str, first: int, pick: random.Random) -> list[Broken]:
    """One of each kind, for events named PREFIX-0 and so on, numbered from `first`. No two have the same value."""
    made = []
    for number, kind in enumerate(_KINDS):
        name = f"{prefix}-{number}"
        value = kind.spoil(tagging.tag(name, first + number), pick)
        made.append(Broken(name, first + number, kind.name, value, kind.reason, kind.groups))
    return made
