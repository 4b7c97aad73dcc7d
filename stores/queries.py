"""SQL from stores/sql/*.sql, by name.

A file holds any number of queries, each under a header line `-- name: some_name`. Lines before the first header are a
comment on the file.
"""

import re
from importlib import resources
from typing import LiteralString, cast

_HEADER = re.compile(r"^-- name: (?P<name>[a-z_]+)[ \t]*$", re.MULTILINE)


def load(file: str) -> dict[str, LiteralString]:
    """The queries of stores/sql/FILE.sql as {name: text}.

    The texts are code, not input, which is what psycopg's type LiteralString asks for.
    """
    text = resources.files("stores").joinpath("sql", f"{file}.sql").read_text("utf-8")
    return parse(text)


def parse(text: str) -> dict[str, LiteralString]:
    """Splits a file's text at its headers. Raises ValueError for a name given twice or an empty query."""
    _preface, *parts = _HEADER.split(text)
    queries: dict[str, LiteralString] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if name in queries or not body.strip():
            message = f"query {name!r} is empty or given twice"
            raise ValueError(message)
        queries[name] = cast("LiteralString", body.strip())
    return queries
