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
    return {
        "exception" if each.arg == "exc_info" else each.arg or "**" for _, call in calls() for each in call.keywords
    }


def calls() -> Iterator[tuple[Path, ast.Call]]:
    """Every call of a logger of ours."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and _is_of_a_logger(node.func):
                    yield path, node


def _is_of_a_logger(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.value.id in ("log", "_log") and function.attr in LEVELS
    return isinstance(function, ast.Name) and function.id == "log"


def test_the_page_and_the_code_name_the_same_fields() -> None:
    assert tuple(documented()[: len(logging.FIELDS)]) == logging.FIELDS
    assert set(documented()) == {*logging.FIELDS, *said()}


def test_no_field_is_documented_twice() -> None:
    assert len(documented()) == len(set(documented()))


def test_no_exception_is_given_to_a_logger_as_its_own_text() -> None:
    """`repr(error)` is a text like any other, which nothing looks at: `tracebacks.words(error)` is in its place."""
    given = {f"{path.relative_to(ROOT)}: {ast.unparse(each.value)}" for path, call in calls() for each in call.keywords}
    assert [each for each in given if "repr(error)" in each] == []
