"""Somebody who writes numbered rows through the proxy and knows which of them were acknowledged."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from devstack import waiting

_ANEW: Final = "DROP TABLE IF EXISTS numbered; CREATE TABLE numbered (number integer PRIMARY KEY)"
_ROW: Final = "INSERT INTO numbered VALUES (%s)"
_PAUSE_SECONDS: Final = 0.002  # some hundreds of rows a second: enough to be in the middle of one when something ends


class Writer:
    """Writes until it is told to stop. A row of unknown outcome is left behind: its number is never used again."""

    def __init__(self, conninfo: str) -> None:
        self.acknowledged: set[int] = set()
        self.longest_gap = 0.0
        self._conninfo = conninfo
        self._numbers = itertools.count(1)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._write, name="writer", daemon=True)

    def start(self) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as conn:
            conn.execute(_ANEW)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def wait_for_more(self, rows: int, seconds: float) -> None:
        """Until so many rows beyond those of now were acknowledged."""
        wanted = len(self.acknowledged) + rows
        assert waiting.until(lambda: len(self.acknowledged) >= wanted, seconds), "no row is acknowledged any more"

    def _write(self) -> None:
        last = time.monotonic()
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._conninfo, autocommit=True) as conn:
                    while not self._stopping.wait(_PAUSE_SECONDS):
                        number = next(self._numbers)
                        conn.execute(_ROW, [number])
                        self.longest_gap = max(self.longest_gap, time.monotonic() - last)
                        last = time.monotonic()
                        self.acknowledged.add(number)
            except (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction):  # no primary, or not any more
                self._stopping.wait(0.1)


@contextmanager
def writing(conninfo: str) -> Iterator[Writer]:
    """A writer at work; stopped at the end."""
    writer = Writer(conninfo)
    writer.start()
    try:
        writer.wait_for_more(100, 20)
        yield writer
    finally:
        writer.stop()


def rows(conn: psycopg.Connection) -> set[int]:
    """The numbers that a server has."""
    return {number for (number,) in conn.execute("SELECT number FROM numbered")}
