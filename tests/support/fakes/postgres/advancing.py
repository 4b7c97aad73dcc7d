"""The function advance_flush (stores/migrations/0002_advance_flush.sql), statement by statement."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from stores.dead_letters import Letter
from stores.flush import MinuteTotal
from tests.support.fakes.postgres import copied, refusals
from tests.support.fakes.postgres.refusals import State
from tests.support.fakes.postgres.sessions import Session
from tests.support.fakes.postgres.tables import Offset, Stored

BIGINTS: Final = range(-(2**63), 2**63)
_SECONDS_TO_2000: Final = 946_684_800


async def advance(session: Session, given: Mapping[str, Any]) -> None:
    """Its arguments are the parameters of the query advance_and_commit."""
    session.refuse_read_only("SELECT FOR UPDATE")
    await _lock_rows(session, given)
    await _move(session, given)
    await session.toil()
    _add_totals(session, given)
    await keep_letters(session, given)


async def _lock_rows(session: Session, given: Mapping[str, Any]) -> None:
    visible = session.offsets()
    for partition in sorted(set(given["move_partitions"])):
        key = Offset(given["group"], given["topic_id"], partition)
        if key in visible:
            await session.lock(key)


async def _move(session: Session, given: Mapping[str, Any]) -> None:
    moved = 0
    for partition, start, end in _rows(given, "move_partitions", "move_starts", "move_ends"):
        key = Offset(given["group"], given["topic_id"], partition)
        if session.offset(key) == start:
            await session.lock(key)
        if session.offset(key) == start:
            if end < 0:
                raise refusals.refusal(
                    State.CHECK_VIOLATION, "violates a check constraint", "pipeline_offsets_next_offset_check"
                )
            session.changes.offsets[key] = _bigint(end)
            moved += 1
    if moved != len(given["move_partitions"]):
        message = f"of {len(given['move_partitions'])} offsets only {moved} were where the flush began"
        raise refusals.refusal(State.OFFSET_MOVED, message)


def _add_totals(session: Session, given: Mapping[str, Any]) -> None:
    columns = ("total_minutes", "total_actions", "total_partitions", "total_counts", "total_sums")
    for minute, action, partition, count, price in _rows(given, *columns):
        if (_bigint(minute * 60) - _SECONDS_TO_2000) * 1_000_000 not in copied.TIMESTAMPS:
            raise refusals.refusal(State.DATETIME_FIELD_OVERFLOW, "timestamp out of range")
        before = session.engine.tables.totals.get((minute, action, partition), (0, 0))
        for part in (count, price, before[0] + count, before[1] + price):
            _bigint(part)
        session.changes.totals.append(MinuteTotal(minute, action, partition, count, price))


async def keep_letters(session: Session, given: Mapping[str, Any]) -> None:
    """INSERT INTO dead_letters ... ON CONFLICT DO NOTHING, which waits for who inserts the same key."""
    columns = ("letter_partitions", "letter_offsets", "letter_keys", "letter_values", "letter_reasons")
    for values in _rows(given, *columns, "letter_details"):
        await _keep(session, given["group"], given["topic_id"], Letter(*values))


async def _keep(session: Session, group: str, topic_id: UUID, letter: Letter) -> None:
    key = Stored(group, topic_id, letter.partition, letter.offset)
    if key not in session.engine.tables.letters:
        await session.lock(key)
    if key not in session.engine.tables.letters:
        session.changes.letters.setdefault(key, letter)


def _rows(given: Mapping[str, Any], *columns: str) -> list[tuple[Any, ...]]:
    """unnest(...) of arrays of one length."""
    return list(zip(*(given[column] for column in columns), strict=True))


def _bigint(number: int) -> int:
    if number not in BIGINTS:
        raise refusals.refusal(State.NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range")
    return number
