"""PostgreSQL's disk is full, and then it is not.

Where a table cannot grow, a write fails with an error. Where the write-ahead log cannot, PostgreSQL ends itself, and
does not come up before there is room: whatever supervises it starts it again.
"""

import time
from pathlib import Path
from typing import Final

import psycopg

from devstack import postgres, waiting
from tests.faults import actions, own_postgres, report, small_disk, stage, trial
from tests.faults.actions import Action, Fault

NAME: Final = "postgres_disk"
_MEGABYTES: Final = 256
_WORKER_SETTINGS: Final[dict[str, object]] = {"store_patience_s": 3, "stalled_after_s": 3, "retry_last_s": 1}
_FULL: Final = "disk full"
_FULL_FOR_LOG: Final = "disk full for the log"
_KINDS: Final = (_FULL, _FULL_FOR_LOG)
_WORKERS: Final[dict[stage.Size, int]] = {"full": 2, "short": 1}
_TIMES: Final[dict[stage.Size, int]] = {"full": 2, "short": 1}
_LASTING_S: Final[dict[stage.Size, tuple[float, float]]] = {"full": (3, 6), "short": (2, 3)}
_GAP_S: Final = (0.5, 1.5)
_NOTICE_SECONDS: Final = 30.0
_NEXT_SEGMENT: Final = "SELECT pg_logical_emit_message(true, 'faults', 'a record'), pg_switch_wal()"
_SUBJECT: Final = "PostgreSQL"
RECOVERIES: Final = trial.recoveries(_SUBJECT, [Fault(kind, _SUBJECT) for kind in _KINDS])


def run(on: stage.Stage, size: stage.Size, seed: int) -> report.Outcome:
    """Workers of each kind. Where mounting is not permitted it is skipped, by name."""
    plan = planned(seed, size)
    on.say(actions.printed(plan))
    on.start_shared()  # not in the disk's thread: they would end with it
    try:
        return small_disk.on_one(_MEGABYTES, lambda disk: _play(on, disk, plan, size, seed))
    except small_disk.NotPermitted as reason:
        return report.Outcome(NAME, seed, plan, skipped=f"the right to mount a small disk is missing: {reason}")


def planned(seed: int, size: stage.Size) -> list[Action]:
    """Both ways of being full, in an order and for as long as the seed decides."""
    faults = [Fault(kind, _SUBJECT, *_LASTING_S[size]) for kind in _KINDS] * _TIMES[size]
    return actions.drawn(actions.dice(seed, NAME), faults, *_GAP_S)


def _play(on: stage.Stage, disk: Path, plan: list[Action], size: stage.Size, seed: int) -> report.Outcome:
    with own_postgres.running(on, NAME, disk) as servers, on.history(NAME) as log:
        played = trial.Trial(on, NAME, _SUBJECT, on.topic(NAME, servers), on.database(NAME, servers))
        with trial.running(played, log, _WORKERS[size], _WORKER_SETTINGS) as sender:
            faults = Faults(servers.postgres, disk)
            played.play(plan, {_FULL: faults.fill, _FULL_FOR_LOG: faults.fill_for_log})
            played.notes.append(f"PostgreSQL ended, and was started again, {faults.ended} times")
            return played.outcome(seed, plan, sender, log)


class Faults:
    """Fills the disk that `server` has its data on."""

    def __init__(self, server: postgres.PostgresServer, disk: Path) -> None:
        self._server, self._disk = server, disk
        self.ended = 0

    def fill(self, action: Action) -> float:
        """What is written meanwhile fails for want of room."""
        since = self._server.log.stat().st_size
        filler = small_disk.fill(self._disk)
        try:
            self._await(since, b"No space left on device")
            time.sleep(action.for_s)
        finally:
            filler.unlink()
        return self._back()

    def fill_for_log(self, action: Action) -> float:
        """The same, and the log needs a new segment before a table needs a new page."""
        since = self._server.log.stat().st_size
        filler = small_disk.fill(self._disk)
        try:
            self._use_up_log()
            self._await(since, b"PANIC")
            time.sleep(action.for_s)
        finally:
            filler.unlink()
        return self._back()

    def _use_up_log(self) -> None:
        """Go on to the next segment of the log until there is no room for one."""
        with psycopg.connect(self._server.conninfo(), autocommit=True) as conn:
            try:
                while True:
                    conn.execute(_NEXT_SEGMENT)
            except psycopg.OperationalError:
                return

    def _await(self, since: int, said: bytes) -> None:
        def is_said() -> bool:
            with self._server.log.open("rb") as log:
                log.seek(since)
                return said in log.read()

        if not waiting.until(is_said, _NOTICE_SECONDS):
            message = f"PostgreSQL did not say {said!r} within {_NOTICE_SECONDS:.0f} s"
            raise TimeoutError(message)

    def _back(self) -> float:
        """What supervises PostgreSQL starts it again where it has ended."""
        if not self._server.running:
            self.ended += 1
            self._server.start()
        self._server.wait_ready()
        return time.monotonic()
