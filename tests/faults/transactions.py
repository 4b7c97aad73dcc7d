"""Whether a process has a transaction open in PostgreSQL: it was stopped, or killed, in the middle of a write."""

import time
from pathlib import Path

import psutil
import psycopg

from runtime.settings import DatabaseSettings

_SETTLE_SECONDS = 0.05  # a transaction whose last word was sent already ends without its client
_OPEN = "SELECT count(*) FROM pg_stat_activity WHERE client_port = ANY (%s) AND xact_start IS NOT NULL"
_CUT_OFF = "with an open transaction"


def is_inside(conn: psycopg.Connection, pid: int) -> bool:
    """Whether process `pid`, which is stopped, is in the middle of a transaction of its own."""
    ports = [each.laddr.port for each in psutil.Process(pid).net_connections("tcp") if each.raddr]
    time.sleep(_SETTLE_SECONDS)
    row = conn.execute(_OPEN, (ports,)).fetchone()
    return row is not None and row[0] > 0


def cut_off(log: Path, database: DatabaseSettings) -> int:
    """How many clients left `database` in the middle of a transaction, by the server's log."""
    whose = f"{database.db_user}@{database.db_name} "
    with log.open(errors="replace") as lines:
        return sum(whose in line and _CUT_OFF in line for line in lines)
