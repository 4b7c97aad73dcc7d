"""docs/operations/logs.md names every field that a line of ours can have, and no other."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from runtime import logging

ROOT: Final = Path(__file__).parents[3]
PACKAGES: Final = ("broker", "gateway", "pipeline", "runtime", "stores")
LEVELS: Final = ("debug", "info", "warning", "error", "critical")


def documented() -> list[str]:
    """The names in the first columns of the page's tables."""
    rows = re.findall(r"^\| (`[^|]*) \|", (ROOT / "docs/operations/logs.md").read_text("utf-8"), re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`(\w+)`", row)]


def said() -> set[str]:
    """The names that calls of loggers give."""
    return {name for package in PACKAGES for path in (ROOT / package).rglob("*.py") for name in _given(path)}


def _given(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and _is_of_a_logger(node.func):
            yield from ("exception" if each.arg == "exc_info" else each.arg or "**" for each in node.keywords)


def _is_of_a_logger(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.value.id in ("log", "_log") and function.attr in LEVELS
    return isinstance(function, ast.Name) and function.id == "log"


def test_the_page_and_the_code_name_the_same_fields() -> None:
    assert tuple(documented()[: len(logging.FIELDS)]) == logging.FIELDS
    assert set(documented()) == {*logging.FIELDS, *said()}


def test_no_field_is_documented_twice() -> None:
    assert len(documented()) == len(set(documented()))
