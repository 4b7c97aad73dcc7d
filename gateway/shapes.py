"""How values look, in words without the values: what a client expects may have a cookie id anywhere."""

import re
from typing import Any, Final

import msgspec

from schemas import tags, timestamps, wire
from schemas.errors import InvalidTimestamp

_TAG_NAMES: Final = frozenset(wire.Tag.__struct_fields__)
_PRODUCT_NAMES: Final = frozenset(wire.ProductInfo.__struct_fields__)
_NUMBER: Final = re.compile(r"-?[0-9]{1,25}")
_MINUTE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
# Only what these columns hold is shown; the others hold texts, which may be anything.
_CELLS: Final = {
    "1m_bucket": _MINUTE,
    "action": re.compile("|".join(tags.ACTIONS)),
    "count": _NUMBER,
    "sum_price": _NUMBER,
}
_COLUMNS: Final = frozenset({*_CELLS, "origin", "brand_id", "category_id"})


def of(value: Any) -> str:
    """What kind of JSON value it is, and how long."""
    match value:
        case dict():
            return f"an object of {len(value)} names"
        case list():
            return f"a list of {len(value)} values"
        case str():
            return f"a string of {len(value)} characters"
        case None:
            return "null"
        case bool():
            return "a boolean"
        case _:
            return "a number"


def of_columns(value: Any) -> str:
    """The columns of a table, if they are columns that there are."""
    if isinstance(value, list) and all(isinstance(each, str) and each in _COLUMNS for each in value):
        return msgspec.json.encode(value).decode()
    return of(value)


def of_cell(column: str, value: Any) -> str:
    """The cell, if it is one of `column`."""
    form = _CELLS.get(column)
    if form is not None and isinstance(value, str) and form.fullmatch(value):
        return msgspec.json.encode(value).decode()
    return of(value)


def is_tag(value: Any) -> bool:
    """Whether it has a time and nothing but fields of a tag, each in its place; then a cookie id is under `cookie`."""
    if not isinstance(value, dict) or not value.keys() <= _TAG_NAMES or not _is_time(value.get("time")):
        return False
    product = value.get("product_info", {})
    if not isinstance(product, dict) or not product.keys() <= _PRODUCT_NAMES:
        return False
    plain = [field for name, field in value.items() if name != "product_info"]
    return not any(isinstance(field, dict | list) for field in [*plain, *product.values()])


def _is_time(value: Any) -> bool:
    try:
        timestamps.parse_tag_time(value)
    except (InvalidTimestamp, TypeError):
        return False
    return True
