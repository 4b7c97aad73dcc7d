"""A line of the log, as JSON that Docker's log driver leaves whole: it cuts at 16 KiB, and collectors get two halves.

What counts is the encoded line: JSON in ASCII has 6 bytes for a letter such as "日", 12 for most emoji.
"""

import json
from collections.abc import Mapping, Sequence, Sized
from typing import Any, Final

MAX_BYTES: Final = 16_000
_LEFT_OUT: Final = "…"
_MIDDLE: Final = f" {_LEFT_OUT} "
_LEAST: Final = 64
"""Bytes of a field. Lines that are too long even with such have too many fields."""


def encode(fields: Mapping[str, Any]) -> str:
    """One line of at most `MAX_BYTES`, whole where it is no longer; else its longest fields lose what is needed.

    A text loses its middle, a list or mapping its end. ASCII alone, whatever the locale is, and however a reader tells
    lines apart. Raises what `json.dumps` does.
    """
    line, most = _json(fields), MAX_BYTES
    if len(line) <= MAX_BYTES:
        return line
    while len(line) > MAX_BYTES and most > _LEAST:
        most = most * 7 // 8
        line = _json({name: _shortened(value, most) for name, value in fields.items()})
    return line if len(line) <= MAX_BYTES else _json(_head(fields, MAX_BYTES))


def _json(value: Any) -> str:
    return json.dumps(value, default=str)


def _shortened(value: Any, most: int) -> Any:
    """`value` if that is encoded within `most` bytes, else what fits."""
    if len(_json(value)) <= most:
        return value
    if isinstance(value, dict):
        return _head(value, most)
    if isinstance(value, list | tuple):
        return _first(value, most)
    return _ends(str(value), most)


def _ends(text: str, most: int) -> str:
    room = max(most - len(_json(_MIDDLE)), 0)
    kept = len(text) * room // len(_json(text))
    while True:
        head, tail = text[: (kept + 1) // 2], text[len(text) - kept // 2 :]
        if not kept or len(_json(head + tail)) - len('""') <= room:
            return head + _MIDDLE + tail
        kept = kept * 7 // 8  # the letters at its ends are longer than those that went


def _first(values: Sequence[Any], most: int) -> list[Any]:
    """The first of `values`, none longer than half of `most`, and how many were left out."""
    told: list[Any] = []
    left = most - len(_json([_more(values)]))
    for value in values:
        shown = _shortened(value, most // 2)
        left -= len(_json(shown)) + len(", ")
        if left < 0:
            return [*told, _more(values[len(told) :])]
        told.append(shown)
    return told


def _head(fields: Mapping[Any, Any], most: int) -> dict[Any, Any]:
    told: dict[Any, Any] = {}
    left = most - len(_json({_LEFT_OUT: _more(fields)}))
    for name, value in fields.items():
        shown = {name: _shortened(value, most // 2)}
        left -= len(_json(shown))
        if left < 0:
            return {**told, _LEFT_OUT: f"{len(fields) - len(told)} more"}
        told.update(shown)
    return told


def _more(values: Sized) -> str:
    return f"{_LEFT_OUT} {len(values)} more"
