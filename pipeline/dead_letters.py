"""Look at dead letters, mend them, and apply them after all.

A dead letter is a record that a worker could not process and stepped over: it counts nothing until it is replayed.
What it is mended to stands beside the original, which stays. A replay addresses one group, for each has its own letters
and its own output; it applies each letter exactly once, whatever crashes, and beside running workers.
"""

import argparse
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from psycopg import AsyncConnection

from pipeline import commands, errors, record_text, replay, tag_json
from schemas import codec
from schemas.errors import UndecodableRecord
from stores import dead_letter_ledger, profiles_factory
from stores import dead_letters as stored

SUMMARY: Final = "look at dead letters, mend them, apply them after all"
EXAMPLES: Final = """\
examples:
  python -m pipeline dead-letters list --group aggregates
  python -m pipeline dead-letters show 17
  python -m pipeline dead-letters mend 17 --value-json tag.json     # a tag as POST /user_tags takes it
  python -m pipeline dead-letters replay --group aggregates         # all that wait
  python -m pipeline dead-letters replay --group profiles 17 18
"""
_PAGE: Final = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="letters that wait, oldest first, a line each")
    listing.add_argument("--group", help="consumer group; all by default")
    listing.add_argument("--limit", type=_positive, default=_PAGE, help=f"at most so many ({_PAGE} by default)")
    showing = actions.add_parser("show", help="one letter whole, replayed or not")
    showing.add_argument("id", type=_positive)
    mending = actions.add_parser("mend", help="set what a replay takes in the place of the record's value")
    mending.add_argument("id", type=_positive)
    source = mending.add_mutually_exclusive_group(required=True)
    source.add_argument("--value-json", metavar="FILE", help="a user tag as the API's JSON; - reads standard input")
    source.add_argument("--value-file", metavar="FILE", help="the value's bytes as they are; - reads standard input")
    replaying = actions.add_parser("replay", help="apply letters to a group's output")
    replaying.add_argument("--group", help="consumer group; that of the aggregates by default")
    replaying.add_argument("id", type=_positive, nargs="*", help="letters; all that wait by default")


async def run(settings: commands.OperatorSettings, arguments: argparse.Namespace) -> int:
    conninfo = settings.conninfo("allezone dead-letters")
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        match arguments.action:
            case "list":
                return await _list(conn, arguments.group, arguments.limit)
            case "show":
                return await _show(conn, arguments.id)
            case "mend":
                return await _mend(conn, arguments)
            case _:
                return await _replay(conn, settings, arguments)


async def _list(conn: AsyncConnection[Any], group: str | None, limit: int) -> int:
    letters = await stored.waiting(conn, consumer_group=group, limit=limit)
    for letter in letters:
        mended = ", mended" if letter.mended_at else ""
        commands.say(
            f"{letter.id}  {letter.consumer_group}  {letter.topic}/{letter.partition}@{letter.offset}  "
            f"{letter.occurred_at:%Y-%m-%dT%H:%M:%SZ}  {letter.reason}{mended}: {letter.detail}"
        )
    counts = await stored.counts(conn)
    waiting = sum(count for (each, _), count in counts.items() if group in (None, each))
    commands.say(f"{len(letters)} of {waiting} letters that wait")
    return commands.DONE


async def _show(conn: AsyncConnection[Any], letter_id: int) -> int:
    letter = await _found(conn, letter_id)
    for name, value in msgspec.structs.asdict(letter).items():
        if name in ("key", "value", "mended_key", "mended_value"):
            commands.say(f"{name}: {record_text.readable(value)}")
        elif value is not None:
            commands.say(f"{name}: {value}")
    return commands.DONE


async def _mend(conn: AsyncConnection[Any], arguments: argparse.Namespace) -> int:
    letter = await _found(conn, arguments.id)
    if arguments.value_json is None:
        value = _read(arguments.value_file)
    else:
        value = _encoded(_read(arguments.value_json), letter)
    if not await stored.mend(conn, letter.id, value=value):
        message = f"letter {letter.id} was replayed already: what it counts is settled"
        raise errors.OperationRefused(message)
    commands.say(
        f"letter {letter.id} mended; `dead-letters replay --group {letter.consumer_group} {letter.id}` applies it"
    )
    return commands.DONE


async def _replay(
    conn: AsyncConnection[Any], settings: commands.OperatorSettings, arguments: argparse.Namespace
) -> int:
    group = arguments.group or settings.aggregates_group
    async with AsyncExitStack() as stack:
        target = await _target(settings, group, stack)
        results: Counter[replay.Result] = Counter()
        async for letter in _chosen(conn, group, arguments.id):
            outcome = await replay.replay(conn, letter, target)
            commands.say(f"letter {outcome.letter_id}: {outcome.detail}")
            results[outcome.result] += 1
    commands.say(f"{results[replay.Result.APPLIED]} applied, {results[replay.Result.STAYS]} stay dead letters")
    return commands.FAILED if results[replay.Result.STAYS] else commands.DONE


async def _chosen(conn: AsyncConnection[Any], group: str, ids: list[int]) -> AsyncIterator[stored.DeadLetter]:
    """The group's waiting letters, or those of them that `ids` names."""
    for letter_id in ids:
        _refuse_unfit(await _found(conn, letter_id), group)
    after = min(ids, default=1) - 1
    while page := await stored.waiting(conn, consumer_group=group, after=after, limit=_PAGE):
        for letter in page:
            if not ids or letter.id in ids:
                yield letter
        after = page[-1].id


def _refuse_unfit(letter: dead_letter_ledger.Entry, group: str) -> None:
    if letter.consumer_group != group:
        message = f"letter {letter.id} is one of group {letter.consumer_group}, not of {group}: see --group"
        raise errors.OperationRefused(message)
    if letter.replayed_at is not None:
        message = f"letter {letter.id} was replayed at {letter.replayed_at:%Y-%m-%dT%H:%M:%SZ}"
        raise errors.OperationRefused(message)


async def _target(settings: commands.OperatorSettings, group: str, stack: AsyncExitStack) -> replay.Target:
    if group == settings.aggregates_group:
        return replay.Aggregates(settings.max_hours)
    if group == settings.profiles_group:
        store = await profiles_factory.open_profiles(settings)
        stack.push_async_callback(store.close)
        return replay.Profiles(store)
    message = f"--group is {settings.aggregates_group} or {settings.profiles_group}, not {group}"
    raise commands.UsageError(message)


async def _found(conn: AsyncConnection[Any], letter_id: int) -> dead_letter_ledger.Entry:
    letter = await dead_letter_ledger.find(conn, letter_id)
    if letter is None:
        message = f"there is no dead letter {letter_id}"
        raise errors.OperationRefused(message)
    return letter


def _encoded(body: bytes, letter: dead_letter_ledger.Entry) -> bytes:
    """The tag in today's schema. The sender's id of the event, which no JSON has, is kept where it can be read."""
    try:
        tag = tag_json.parse(body)
    except ValueError as error:
        message = f"that is no user tag: {error}"
        raise errors.OperationRefused(message) from error
    try:
        event_id = codec.decode_tag(letter.value or b"").event_id
    except UndecodableRecord:
        event_id = None
    return codec.encode_tag(msgspec.structs.replace(tag, event_id=event_id))


def _read(path: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise errors.OperationRefused(message) from error


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = f"{text} is not above 0"
        raise argparse.ArgumentTypeError(message)
    return number
