"""The series that a PromQL expression asks for: names and label matchers, without a parser for the rest."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_WORDS: Final = frozenset(
    {"by", "without", "on", "ignoring", "group_left", "group_right", "bool", "offset", "and", "or", "unless"}
)
_STRING: Final = re.compile(r'"[^"]*"')
_LABELS: Final = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_SELECTOR: Final = re.compile(r"(?<![\w.$])([a-zA-Z_:][\w:]*)\s*(\(|\{[^}]*\})?")
_MATCHER: Final = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_RANGE: Final = re.compile(r"\[[^\]]*\]")


class Series(NamedTuple):
    """One selector: a metric's name, and its matchers as (label, operator, value)."""

    name: str
    matchers: tuple[tuple[str, str, str], ...]


def series(expression: str) -> list[Series]:
    """All that the expression asks for, in the order in which it does."""
    return list(_series(expression))


def grouping(expression: str) -> set[str]:
    """The labels that it adds up by, or matches on."""
    clauses = _LABELS.findall(_outside_strings(expression))
    return {label for clause in clauses for label in re.findall(r"\w+", clause.partition("(")[2])}


def _series(expression: str) -> Iterator[Series]:
    """Strings hold braces and words: they are looked at in place, and nowhere else."""
    blank = _LABELS.sub(lambda found: " " * len(found[0]), _outside_strings(expression))
    blank = _RANGE.sub(lambda found: " " * len(found[0]), blank)
    for found in _SELECTOR.finditer(blank):
        name, after = found[1], found[2] or ""
        if after != "(" and name not in _WORDS:
            written = expression[found.start(2) : found.end(2)] if after else ""
            yield Series(name, tuple(each.groups() for each in _MATCHER.finditer(written)))  # type: ignore[misc]


def _outside_strings(expression: str) -> str:
    return _STRING.sub(lambda found: '"' + " " * (len(found[0]) - 2) + '"', expression)
