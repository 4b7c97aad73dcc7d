"""Two answers compared, and the difference in words. No cookie id goes into the words: they are logged.

What is expected may be anything, with cookie ids anywhere: only what has the form of a tag, or of a cell of its column,
is shown, and of everything else how it looks (gateway/shapes.py).

The order among tags of one millisecond is no difference: nothing says which of them came first.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby, islice
from typing import Any, Final

import msgspec

from gateway import shapes

MAX_LINES: Final = 20
MAX_CHARACTERS: Final = 500
_LISTS: Final = ("views", "buys")


def of_profiles(expected: Any, given: Any) -> list[str]:
    """How the expected profile and the given one differ, a line a difference; empty where they do not."""
    return _bounded(_profile(expected, given))


def of_aggregates(expected: Any, given: Any) -> list[str]:
    """How the expected table and the given one differ, a line a difference; empty where they do not."""
    return _bounded(_table(expected, given))


def _profile(expected: Any, given: dict[str, Any]) -> Iterator[str]:
    if not isinstance(expected, dict):
        yield "expected: no object"
        return
    yield from _names(expected, given)
    if "cookie" in expected and expected["cookie"] != given["cookie"]:
        yield "cookie: another one is expected"
    for name in _LISTS:
        if name in expected:
            yield from _tags(name, expected[name], given[name])


def _table(expected: Any, given: dict[str, Any]) -> Iterator[str]:
    if not isinstance(expected, dict):
        yield "expected: no object"
        return
    yield from _names(expected, given)
    if "columns" in expected and not _same(expected["columns"], given["columns"]):
        yield f"columns: expected {shapes.of_columns(expected['columns'])}, given {_text(given['columns'])}"
    if "rows" in expected:
        yield from _rows(expected["rows"], given["rows"], given["columns"])


def _names(expected: dict[str, Any], given: dict[str, Any]) -> Iterator[str]:
    for name in sorted(given.keys() - expected.keys()):
        yield f"{name}: given, not expected"
    if unknown := expected.keys() - given.keys():
        yield f"names expected, not given: {len(unknown)}"


def _tags(name: str, expected: Any, given: list[Any]) -> Iterator[str]:
    if not isinstance(expected, list):
        yield f"{name}: expected is no list"
        return
    wanted, found = _in_order(expected), _in_order(given)
    if wanted == found:
        return
    if len(wanted) != len(found):
        yield f"{name}: {len(wanted)} expected, {len(found)} given"
    missing, unexpected = list((Counter(wanted) - Counter(found)).elements()), Counter(found) - Counter(wanted)
    if not missing and not unexpected:
        yield f"{name}: the same tags in another order"
    yield from _pairs(name, missing, list(unexpected.elements()))


def _pairs(name: str, missing: list[bytes], unexpected: list[bytes]) -> Iterator[str]:
    """A tag of one millisecond missing and another of it given is one tag with other fields."""
    left = [msgspec.json.decode(each) for each in unexpected]
    for tag in map(msgspec.json.decode, missing):
        twin = next((other for other in left if _time(other) == _time(tag)), None)
        if twin is None or not shapes.is_tag(tag):
            yield f"{name}: missing {_described(tag)}"
        else:
            left.remove(twin)
            yield f"{name}: at {_time(tag)} {'; '.join(_fields(tag, twin))}"
    for tag in left:
        yield f"{name}: not expected {_described(tag)}"


def _fields(expected: Any, given: Any) -> Iterator[str]:
    for name, wanted, found in _flattened(expected, given):
        if _same(wanted, found):
            continue
        if name == "cookie":
            yield "cookie: another one is expected"
        else:
            yield f"{name}: expected {_text(wanted)}, given {_text(found)}"


def _flattened(expected: Any, given: Any) -> Iterator[tuple[str, Any, Any]]:
    one, other = _flat(expected), _flat(given)
    for name in sorted(one.keys() | other.keys()):
        yield name, one.get(name), other.get(name)


def _flat(tag: Any) -> dict[str, Any]:
    if not isinstance(tag, dict):
        return {"": tag}
    product = tag.get("product_info")
    return {**tag, **product, "product_info": None} if isinstance(product, dict) else tag


def _rows(expected: Any, given: list[list[str]], columns: list[str]) -> Iterator[str]:
    if not isinstance(expected, list):
        yield "rows: expected is no list"
        return
    if len(expected) != len(given):
        yield f"rows: {len(expected)} expected, {len(given)} given"
    for wanted, found in zip(expected, given, strict=False):
        if not _same(wanted, found):
            yield f"row {found[0]}: {_cells(wanted, found, columns)}"


def _cells(expected: Any, given: list[str], columns: list[str]) -> str:
    if not isinstance(expected, list) or len(expected) != len(given):
        return f"expected {shapes.of(expected)}, given {_text(given)}"
    cells = zip(columns, expected, given, strict=True)
    return "; ".join(
        f"{name}: expected {shapes.of_cell(name, wanted)}, given {_text(found)}"
        for name, wanted, found in cells
        if not _same(wanted, found)
    )


def _in_order(tags: list[Any]) -> list[bytes]:
    """The tags in a form in which equal is equal, those of each run of one millisecond sorted."""
    return [form for _, run in groupby(tags, _time) for form in sorted(_form(tag) for tag in run)]


def _time(tag: Any) -> Any:
    return _text(tag.get("time")) if isinstance(tag, dict) else None


def _described(tag: Any) -> str:
    if not shapes.is_tag(tag):
        return shapes.of(tag)
    return _text({name: value for name, value in tag.items() if name != "cookie"})


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1, 1.0 and true are three values."""
    return _form(one) == _form(other)


def _form(value: Any) -> bytes:
    return msgspec.json.encode(value, order="deterministic")


def _text(value: Any) -> str:
    return _form(value).decode()


def _bounded(lines: Iterator[str]) -> list[str]:
    """The first lines, each of a length to read: an expected answer may be megabytes of anything."""
    found = list(islice(lines, MAX_LINES + 1))
    shown = [line if len(line) <= MAX_CHARACTERS else line[:MAX_CHARACTERS] + "…" for line in found[:MAX_LINES]]
    return [*shown, "and more"] if len(found) > MAX_LINES else shown
