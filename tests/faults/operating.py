"""The operator's commands beside a running system, as docs/operations.md writes them, and killed in their middle."""

import asyncio
import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from signal import SIGKILL
from typing import Any, Final, NamedTuple

import psycopg

from devstack import waiting
from runtime.settings import DatabaseSettings, KafkaSettings
from tests.faults import stage
from tests.integration.operations.installation import Installation

_COMMAND_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.002


class CommandFailed(Exception):
    """A command did not end well; the message is what it was and what it said."""


def installation(topic: KafkaSettings, database: DatabaseSettings, folder: Path) -> Installation:
    """What the commands work on: the topic and database of a stage's workers."""
    return Installation(
        topic,
        database,
        folder,
        aggregates_group=stage.group("aggregates", topic),
        profiles_group=stage.group("profiles", topic),
    )


def run(at: Installation, *arguments: str) -> str:
    """The answer of `python -m pipeline ARGUMENTS`, a process of its own. Raises CommandFailed."""
    with at.process(*arguments) as process:
        answer, complaint = process.communicate(timeout=_COMMAND_SECONDS)
    if process.returncode != 0:
        raise CommandFailed(f"{' '.join(arguments)}: status {process.returncode}: {answer}{complaint}")  # noqa: EM102
    return answer


def run_here(at: Installation, *commands: Sequence[str]) -> str:
    """The answers of commands, all at once, without processes of their own, which cost a second each.

    Raises CommandFailed.
    """
    with contextlib.redirect_stdout(io.StringIO()) as answer, contextlib.redirect_stderr(io.StringIO()) as complaint:
        statuses = asyncio.run(_all(at, commands))
    if any(statuses):
        raise CommandFailed(f"{commands}: statuses {statuses}: {answer.getvalue()}{complaint.getvalue()}")  # noqa: EM102
    return answer.getvalue()


async def _all(at: Installation, commands: Sequence[Sequence[str]]) -> list[int]:
    return await asyncio.gather(*(at.operate(*arguments) for arguments in commands))


class Sql(NamedTuple):
    """A statement and its parameters."""

    text: str
    parameters: tuple[Any, ...] = ()


def kill_at_lock(at: Installation, locking: Sql, *arguments: str, session: str | None = None) -> None:
    """Start the command, and end it with SIGKILL where it waits for what `locking` has locked.

    `session` is the name of the session that then waits, the command's own by default. Nothing stays of `locking`.
    """
    asyncio.run(_kill_at_lock(at, locking, arguments, session or f"allezone {arguments[0]}"))


async def _kill_at_lock(at: Installation, locking: Sql, arguments: Sequence[str], session: str) -> None:
    async with at.connection() as conn, conn.transaction(force_rollback=True):
        await conn.execute(locking.text.encode(), locking.parameters)
        with at.process(*arguments) as process:
            await at.wait_for_lock(session)
            process.kill()
            process.wait()


def kill_when(at: Installation, condition: Sql, *arguments: str) -> bool:
    """Start the command, and end it with SIGKILL once `condition` answers true; False if it was over before."""
    with at.process(*arguments) as process, psycopg.connect(at.database.conninfo(), autocommit=True) as conn:

        def now() -> bool:
            answer = conn.execute(condition.text.encode(), condition.parameters).fetchone()
            return process.poll() is not None or answer == (True,)

        waiting.until(now, _COMMAND_SECONDS, interval=_LOOK_SECONDS)
        process.kill()
        return process.wait() == -SIGKILL
