"""The queries that it knows, by their very texts in stores/sql: another text is a query that it does not know."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from stores import queries
from stores.dead_letters import Letter
from tests.support.fakes.postgres import advancing, copied, hour_making, refusals
from tests.support.fakes.postgres.messages import Message, Result
from tests.support.fakes.postgres.refusals import State
from tests.support.fakes.postgres.sessions import Session
from tests.support.fakes.postgres.tables import Hour, Offset, Stored

Given = Mapping[str, Any]
Run = Callable[[Session, Given], Awaitable[list[Result]]]

_SETTING: Final = re.compile(r"set_config\('(\w+)', '(\d+)s', false\)")


def message(query: str, given: Given | None) -> Message:
    """The message of a query with its parameters. Raises NotImplementedError for one that it does not know."""
    known = _KNOWN.get(query)
    if known is None:
        text = f"the fake PostgreSQL does not know this query: {query}"
        raise NotImplementedError(text)
    name, run = known
    return Message(name, lambda session: run(session, given or {}), ends=name in ("commit", "rollback"))


def copy_end(stream: bytes) -> Message:
    """The rows of a COPY, and that there are no more."""

    async def run(session: Session) -> list[Result]:
        await session.toil()
        session.copying = False
        if session.engine.disk_full:
            raise refusals.refusal(State.DISK_FULL, 'could not extend file "base/5/16384": No space left on device')
        found = list(copied.rows(stream, lambda hour: session.hour(hour) is Hour.MADE))
        await session.toil()
        session.changes.rows.extend(found)
        return [Result([], f"COPY {len(found)}")]

    return Message("copy_end", run)


def copy_fail(reason: str) -> Message:
    """The client gives a COPY up."""

    async def run(session: Session) -> list[Result]:
        raise refusals.refusal(State.QUERY_CANCELED, f"COPY from stdin failed: {reason}")

    return Message("copy_fail", run)


# -- transactions ------------------------------------------------------------------------------------------------------


async def _begin(session: Session, _given: Given) -> list[Result]:
    return [Result([], session.begin())]


async def _commit(session: Session, _given: Given) -> list[Result]:
    await session.toil()
    return [Result([], session.commit())]


async def _rollback(session: Session, _given: Given) -> list[Result]:
    return [Result([], session.rollback())]


async def _configure(session: Session, _given: Given) -> list[Result]:
    found = _SETTING.findall(_FLUSH["session"])
    session.settings |= {name: float(seconds) for name, seconds in found}
    return [Result([tuple(seconds for _, seconds in found)], "SELECT 1")]


# -- flushes -----------------------------------------------------------------------------------------------------------


async def _copy(session: Session, _given: Given) -> list[Result]:
    session.refuse_read_only("COPY FROM")
    session.copying = True
    return [Result([], "COPY")]


async def _advance_and_commit(session: Session, given: Given) -> list[Result]:
    await advancing.advance(session, given)
    await session.toil()
    return [Result([(None,)], "SELECT 1"), Result([], session.commit())]


# -- offsets -----------------------------------------------------------------------------------------------------------


async def _insert_missing(session: Session, given: Given) -> list[Result]:
    session.refuse_read_only("INSERT")
    inserted = 0
    for partition, first in zip(given["partitions"], given["starts"], strict=True):
        key = Offset(given["group"], given["topic_id"], partition)
        if session.offset(key) is None:
            await session.lock(key)
        if session.offset(key) is None:
            session.changes.offsets[key] = first
            inserted += 1
    return [Result([], f"INSERT 0 {inserted}")]


async def _read(session: Session, given: Given) -> list[Result]:
    return _selected([(key.partition, session.offset(key)) for key in _keys(session, given)])


async def _read_settled(session: Session, given: Given) -> list[Result]:
    session.refuse_read_only("SELECT FOR UPDATE")
    rows = []
    for key in _keys(session, given):
        await session.lock(key)
        if (offset := session.offset(key)) is not None:
            rows.append((key.partition, offset))
    return _selected(rows)


async def _other_topics(session: Session, given: Given) -> list[Result]:
    found = {
        str(key.topic_id): None
        for key in session.offsets()
        if key.group == given["group"] and key.topic_id != given["topic_id"]
    }
    return _selected([(topic_id,) for topic_id in sorted(found)])


def _keys(session: Session, given: Given) -> list[Offset]:
    """Of the rows visible now, by partition."""
    wanted = [Offset(given["group"], given["topic_id"], partition) for partition in sorted(set(given["partitions"]))]
    return [key for key in wanted if session.offset(key) is not None]


# -- dead letters ------------------------------------------------------------------------------------------------------


async def _write_letters(session: Session, given: Given) -> list[Result]:
    session.refuse_read_only("INSERT")
    await session.toil()
    await advancing.keep_letters(session, given)
    return [Result([], f"INSERT 0 {len(given['letter_offsets'])}")]


async def _letter_runs(session: Session, given: Given) -> list[Result]:
    letters = session.engine.tables.letters | session.changes.letters
    ends = zip(given["partitions"], given["ends"], strict=True)
    return _selected([(partition, _run(letters, partition, end, given)) for partition, end in ends])


def _run(letters: Mapping[Stored, Letter], partition: int, end: int, given: Given) -> int:
    """Of the letters right below `end`, those that count."""
    count = 0
    for offset in range(end - 1, end - 1 - given["window"], -1):
        letter = letters.get(Stored(given["group"], given["topic_id"], partition, offset))
        if letter is None:
            break
        count += letter.reason not in given["uncounted"]
    return min(count, int(given["at_most"]))


# -- hours -------------------------------------------------------------------------------------------------------------


async def _hour_states(session: Session, given: Given) -> list[Result]:
    return _selected([(hour, session.hour(hour) or "missing") for hour in given["hours"]])


async def _ensure_hours(session: Session, given: Given) -> list[Result]:
    session.refuse_read_only("CREATE TABLE")
    return _selected(await hour_making.ensure(session, given["hours"], given["max_hours"], given["exempt"]))


def _selected(rows: list[tuple[Any, ...]]) -> list[Result]:
    return [Result(rows, f"SELECT {len(rows)}")]


_FLUSH: Final = queries.load("flush")
_OFFSETS: Final = queries.load("offsets")
_LETTERS: Final = queries.load("dead_letters")
_HOURS: Final = queries.load("hours")
_KNOWN: Final[dict[str, tuple[str, Run]]] = {
    "BEGIN": ("begin", _begin),
    "COMMIT": ("commit", _commit),
    "ROLLBACK": ("rollback", _rollback),
    _FLUSH["session"]: ("session", _configure),
    _FLUSH["copy_deltas"]: ("copy_deltas", _copy),
    _FLUSH["advance_and_commit"]: ("advance_and_commit", _advance_and_commit),
    _OFFSETS["insert_missing"]: ("insert_missing", _insert_missing),
    _OFFSETS["read"]: ("read", _read),
    _OFFSETS["read_settled"]: ("read_settled", _read_settled),
    _OFFSETS["other_topics"]: ("other_topics", _other_topics),
    _LETTERS["write"]: ("write", _write_letters),
    _LETTERS["runs"]: ("runs", _letter_runs),
    _HOURS["states"]: ("states", _hour_states),
    _HOURS["ensure"]: ("ensure", _ensure_hours),
}
