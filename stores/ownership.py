"""Who owns the database and what migrations made in it: one role, `allezone_owner`, whoever did before.

What two roles own between them works until a function of the one, which runs with its owner's rights, uses a table of
the other. So everything is handed over, one object a transaction: each is locked for a moment, beside processes that go
on.
"""

from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg import sql

from stores import grants, queries

_MOST_ROUNDS: Final = 10
_SQL: Final = queries.load("ownership")

Connection = psycopg.Connection[Any]


def hand_over(conn: Connection, owner: str, roles: Sequence[str]) -> list[str]:
    """Give `owner` what it does not own yet; returns the statements, none on a second run. Raises psycopg.Error.

    `roles` are all of ours, members of nothing that owns something. An ordinary role that owned everything so far
    becomes a member of `owner`.
    """
    named = {"owner": owner, "roles": list(roles)}
    former = [role for (role,) in conn.execute(_SQL["former_owners"], named).fetchall()]
    with conn.transaction():
        changes = grants.follow(conn, _SQL["admit"], {"owner": owner, "former": former})
        changes += _hide_functions(conn, [owner, *former])
    for _round in range(_MOST_ROUNDS):  # hours are made meanwhile
        strays = grants.follow(conn, _SQL["strays"], {**named, "former": former})
        if not strays:
            break
        changes += strays
    return changes


def _hide_functions(conn: Connection, owners: Sequence[str]) -> list[str]:
    changes = []
    for owner in owners:
        identifier = sql.Identifier(owner)
        row = conn.execute(_SQL["unnoticed_functions"], {"owner": identifier.as_string()}).fetchone()
        if row and row[0]:
            conn.execute(sql.SQL(_SQL["hide_functions"]).format(owner=identifier))
            changes.append(f"functions that {owner} makes are not everybody's")
    return changes
