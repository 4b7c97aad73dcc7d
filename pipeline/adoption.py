"""Go on after the topic was deleted and made anew, or lost records at its end.

The aggregates worker stops in both cases, because going on without a word would skip or double events. This command
shows what is stored and what the topic is; with --yes it accepts the topic as it is.

The topic was made anew: the offsets on the old one are forgotten, and the worker counts the new one from its first
record. Sums counted so far stay, and what the old topic held beyond them is lost.

A partition ends below what was counted (a restore, or an unclean election): the worker has to be told where to go on.
  --restart-at end        with what arrives from now on. Right if nothing was written since the loss; else that is
                          skipped.
  --restart-at earliest   with the partition's first record. Everything that it holds and that was counted already is
                          counted twice, until `rebuild-aggregates --from-truncated-log` counts those hours anew.

Stop the aggregates workers first. The profiles worker needs none of this: it goes on by itself.
"""

import argparse
import asyncio
import time
from typing import Any, Final

import msgspec
import psycopg
from psycopg import AsyncConnection

from broker import connections, groups, topics
from pipeline import commands, errors
from stores import adoption, offsets

SUMMARY: Final = "go on after the topic was made anew, or lost records at its end"
EXAMPLES: Final = """\
examples:
  python -m pipeline adopt-topic                                # show what is stored, and what the topic is
  python -m pipeline adopt-topic --yes                          # count the topic that was made anew
  python -m pipeline adopt-topic --restart-at end --yes         # go on at the end of partitions that were cut short
"""
_LEAVING_S: Final = 15.0
_PAUSE_S: Final = 0.5


class Situation(msgspec.Struct, frozen=True):
    """`reach` is `{partition: (earliest, end)}` of the topic; `cut` the partitions that end below what was counted."""

    topic: topics.Topic
    reach: dict[int, tuple[int, int]]
    stored: list[adoption.Stored]

    @property
    def others(self) -> list[adoption.Stored]:
        return [each for each in self.stored if each.topic_id != self.topic.id]

    @property
    def cut(self) -> list[int]:
        own = {each.partition: each.next_offset for each in self.stored if each.topic_id == self.topic.id}
        return [partition for partition, offset in own.items() if self.reach[partition][1] < offset]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="do it; without, only show")
    parser.add_argument(
        "--restart-at", choices=["earliest", "end"], help="where partitions go on that end below what was counted"
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=_LEAVING_S,
        metavar="SECONDS",
        help=f"how long to wait for stopped workers to leave their group (default {_LEAVING_S:.0f})",
    )


async def run(settings: commands.OperatorSettings, arguments: argparse.Namespace) -> int:
    admin = connections.Admin(settings.kafka_hosts)
    topic = topics.describe(admin, settings.kafka_topic)
    of = offsets.Consumer(settings.aggregates_group, topic.name, topic.id)
    conninfo = settings.conninfo("allezone adopt-topic")
    async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn:
        async with conn.transaction():
            found = Situation(topic, topics.read_offsets(admin, topic), await adoption.stored(conn, of.group))
        _show(found, of)
        if not found.others and not found.cut:
            commands.say("Nothing to adopt: no stored offset is one of another topic, none lies beyond the end.")
            return commands.DONE
        _refuse_unclear(found, arguments)
        await _refuse_members(settings, arguments.wait)
        restarts = await _adopt(conn, of, found, arguments.restart_at)
    commands.say(_done(found, restarts))
    return commands.DONE


async def _adopt(
    conn: AsyncConnection[Any], of: offsets.Consumer, found: Situation, restart_at: str | None
) -> dict[int, int]:
    """Where cut partitions go on. Raises `errors.OperationRefused` if anything is not as it was shown."""
    restarts = {partition: found.reach[partition][restart_at == "end"] for partition in found.cut}
    async with conn.transaction():
        if await adoption.stored(conn, of.group) != found.stored:
            message = "the stored offsets have moved meanwhile: a worker is at work. Nothing was changed"
            raise errors.OperationRefused(message)
        await adoption.adopt(conn, of, restarts)
    return restarts


def _show(found: Situation, of: offsets.Consumer) -> None:
    commands.say(f"topic {of.topic} is {of.topic_id}:")
    for partition, (earliest, end) in sorted(found.reach.items()):
        commands.say(f"  partition {partition}: offsets {earliest} to {end}")
    commands.say(f"group {of.group} has counted:" if found.stored else f"group {of.group} has counted nothing yet")
    for each in found.stored:
        topic = "this topic" if each.topic_id == of.topic_id else f"another one, {each.topic_id}"
        beyond = ", BEYOND ITS END" if each.topic_id == of.topic_id and each.partition in found.cut else ""
        commands.say(f"  partition {each.partition} of {topic}: up to {each.next_offset}{beyond}")


def _refuse_unclear(found: Situation, arguments: argparse.Namespace) -> None:
    if found.cut and arguments.restart_at is None:
        message = (
            f"partitions {found.cut} end below what was counted: say with --restart-at earliest or --restart-at end "
            "where they go on; --help explains what each does to the sums"
        )
        raise commands.UsageError(message)
    if not arguments.yes:
        message = "nothing was changed: add --yes to accept the topic as it is; --help explains what that means"
        raise errors.OperationRefused(message)


async def _refuse_members(settings: commands.OperatorSettings, wait_s: float) -> None:
    """Workers that were just killed are waited for: Kafka takes them for members until their session times out."""
    admin, group = connections.Admin(settings.kafka_hosts), settings.aggregates_group
    deadline = time.monotonic() + wait_s
    while members := await asyncio.to_thread(groups.members, admin, group):
        if time.monotonic() > deadline:
            message = (
                f"group {group} has {len(members)} members, on {', '.join(sorted(set(members)))}: stop its workers, "
                "with what restarts them, and run this again. Nothing was changed"
            )
            raise errors.OperationRefused(message)
        await asyncio.sleep(_PAUSE_S)


def _done(found: Situation, restarts: dict[int, int]) -> str:
    sentences = ["Done."]
    if found.others:
        sentences.append("The worker counts the new topic from its first record; sums counted so far stay.")
    sentences += [f"Partition {partition} goes on at {offset}." for partition, offset in restarts.items()]
    sentences.append("Hours made before now can be rebuilt only with --from-truncated-log.")
    return " ".join(sentences)
