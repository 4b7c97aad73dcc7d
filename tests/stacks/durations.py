"""Durations and sizes as compose files spell them."""

import re
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_SIZES: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def seconds(text: str) -> float:
    """`1m30s` is 90."""
    parts = re.findall(r"(\d+)(ms|s|m|h)", text)
    if "".join(f"{number}{unit}" for number, unit in parts) != text:
        message = f"no duration: {text!r}"
        raise ValueError(message)
    return sum(int(number) * _UNITS[unit] for number, unit in parts)


def size(text: str) -> int:
    """`64M` is 67108864."""
    found = re.fullmatch(r"(\d+)([KMG]?)", text)
    if found is None:
        message = f"no size: {text!r}"
        raise ValueError(message)
    return int(found[1]) * _SIZES[found[2]]
