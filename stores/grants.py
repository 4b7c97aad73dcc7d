"""What our roles may do with the tables and functions of this version: brought about after every migration."""

from collections.abc import Mapping
from typing import Any, LiteralString, cast

import psycopg

from stores import queries

_SQL = queries.load("grants")


def apply(conn: psycopg.Connection[Any]) -> list[str]:
    """Give each role what it lacks and take what it should not have; returns the statements, none on a second run.

    Whatever of the database it is a right on, and whoever gave it. In one transaction, so that nobody lacks a right
    meanwhile. Does nothing where `python -m stores roles` never ran.
    """
    with conn.transaction():
        conn.execute(_SQL["lock"])
        return follow(conn, _SQL["statements"]) + follow(conn, _SQL["defaults"])


def follow(
    conn: psycopg.Connection[Any], query: LiteralString, parameters: Mapping[str, Any] | None = None
) -> list[str]:
    """Run the statements that a query writes into its first column; returns them."""
    steps = [row[0] for row in conn.execute(query, parameters).fetchall()]
    for step in steps:
        conn.execute(cast("LiteralString", step))  # made of catalog names, quoted by the server
    return steps
