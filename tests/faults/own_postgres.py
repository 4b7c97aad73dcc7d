"""A PostgreSQL for one scenario alone, beside the broker that all of them share."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL, SIGQUIT
from typing import Final

import psycopg

from bench import workers
from devstack import ports, postgres, waiting
from tests.faults import stage

_SECONDS: Final = 30.0
_ANY_SESSION: Final = (
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename = %s"
    " ORDER BY backend_start LIMIT 1"
)


@contextmanager
def running(on: stage.Stage, scenario: str, disk: Path | None = None) -> Iterator[workers.Servers]:
    """What was acknowledged survives the end of its processes, not that of the machine: nothing here ends that."""
    with tempfile.TemporaryDirectory(prefix="allezone-faults-", dir=disk, ignore_cleanup_errors=True) as name:
        state, log = Path(name), on.folder / f"{scenario}-postgres.log"
        server = postgres.PostgresServer(state, ports.reserve(), throwaway=True, log=log)
        try:
            server.start()
            server.wait_ready()
            yield workers.Servers(on.shared.kafka, server, state)
        finally:
            server.kill()


def end_at_once(server: postgres.PostgresServer) -> None:
    """The "immediate" shutdown: no session is ended in good order, no checkpoint written."""
    assert server.pid is not None
    os.kill(server.pid, SIGQUIT)
    if not waiting.until(lambda: not server.running, _SECONDS):
        message = "PostgreSQL does not end on SIGQUIT"
        raise TimeoutError(message)


def crash(server: postgres.PostgresServer) -> None:
    """Kill the process of one session. PostgreSQL ends all the others, for memory may be damaged, and recovers."""
    with psycopg.connect(server.conninfo(), autocommit=True) as witness:
        row = witness.execute(_ANY_SESSION, [server.user]).fetchone()
        assert row is not None
        os.kill(row[0], SIGKILL)
        if not waiting.until(lambda: _is_cut(witness), _SECONDS):
            message = "PostgreSQL did not notice that a session's process was killed"
            raise TimeoutError(message)
    server.wait_ready()


def _is_cut(witness: psycopg.Connection) -> bool:
    try:
        witness.execute("SELECT")
    except psycopg.OperationalError:
        return True
    return False
