"""A connection to the primary, outside any pool."""

from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

Connection = psycopg.AsyncConnection[Any]
Connect = Callable[[str], Awaitable[Connection]]
"""From a conninfo to an open connection: `connect`, or a stand-in for the server."""


async def connect(conninfo: str) -> Connection:
    """One that begins no transaction by itself, and whose cursors put parameters into the text that they send.

    So several statements with parameters can be one message, which the extended protocol has no way to say.
    """
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True, cursor_factory=psycopg.AsyncClientCursor)
