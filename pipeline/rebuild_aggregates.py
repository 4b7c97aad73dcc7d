"""Count whole hours of event time again from the topic, and replace them, exactly.

Workers may go on: their writes wait at the end of each hour, for the seconds that the old rows take to go. Queries see
the old sums until the new ones are there. Every hour is one transaction; interrupted, run it again.

The topic is read once from its beginning, whatever the hours: an event of any hour may lie anywhere in it. The new rows
of all hours wait in a temporary table of the server: about 100 bytes an event.

Dead letters count as they do in the sums of today: those replayed with the value that was taken, those waiting not at
all. Refused are hours that retention dropped; and, unless --from-truncated-log says that the loss is meant, hours of
which the topic does not hold every event that was counted, because it lost its beginning to retention, or because it
was made anew or cut short since (`adopt-topic`).
"""

import argparse
import datetime
import re
import time
from collections.abc import Sequence
from typing import Final

import psycopg

from broker import connections, topics
from pipeline import commands, errors, hour_exchange, log, reading
from stores import errors as store_errors
from stores import hour_rebuild, hours, offsets

SUMMARY: Final = "count whole hours of event time again from the topic, and replace them"
EXAMPLES: Final = """\
examples:
  python -m pipeline rebuild-aggregates --from-hour 2022-03-22T12                              # 12:00 to 12:59 UTC
  python -m pipeline rebuild-aggregates --from-hour 2022-03-22T12 --to-hour 2022-03-22T14      # 12:00 to 13:59 UTC
"""
MOST_HOURS: Final = 168

_HOUR_FORM: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}", re.ASCII)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from-hour", required=True, type=_hour, metavar="HOUR", help="the first hour, UTC, as 2022-03-22T12"
    )
    parser.add_argument(
        "--to-hour", type=_hour, metavar="HOUR", help="the hour behind the last one; the first alone by default"
    )
    parser.add_argument(
        "--from-truncated-log", action="store_true", help="although the topic does not hold all that was counted"
    )


async def run(settings: commands.OperatorSettings, arguments: argparse.Namespace) -> int:
    wanted = _range(arguments.from_hour, arguments.to_hour)
    await rebuild(settings, wanted, truncated=arguments.from_truncated_log)
    return commands.DONE


async def rebuild(settings: commands.OperatorSettings, wanted: Sequence[int], *, truncated: bool = False) -> None:
    """Replace the hours `wanted` (whole hours since 1970). Raises `errors.OperationRefused`."""
    topic = topics.describe(connections.Admin(settings.kafka_hosts), settings.kafka_topic)
    kafka = log.KafkaLog(settings.kafka_hosts, topic.name, topic.id)
    of = offsets.Consumer(settings.aggregates_group, topic.name, topic.id)
    conninfo = settings.conninfo("allezone rebuild-aggregates")
    async with (
        await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as conn,
        reading.TopicReader(settings) as reader,
    ):
        if others := await offsets.other_topics(conn, of):
            raise store_errors.TopicReplaced(of.group, of.topic, str(of.topic_id), others)
        _refuse_unmade(await hours.ensure_hours(conn, wanted, max_hours=settings.max_hours))
        earliest = {partition: first for partition, (first, _) in (await kafka.offsets()).items()}
        if not truncated:
            _refuse_truncated(earliest)
            _refuse_adopted(await hour_rebuild.older_than_adoption(conn, of.group, wanted))
        exchanging = hour_exchange.HourExchange(conn, kafka, reader, of, wanted)
        began = time.monotonic()
        records = await exchanging.stage(earliest)
        commands.say(f"{records} records read in {time.monotonic() - began:.1f} s")
        for hour in wanted:
            _report(hour, await exchanging.exchange(hour))
            await hour_rebuild.vacuum(conn, hour)


def _report(hour: int, exchanged: hour_exchange.Exchanged) -> None:
    commands.say(
        f"{_named(hour)}: {exchanged.before} events before, {exchanged.after} now, {exchanged.letters} of them "
        f"replayed dead letters; {exchanged.seconds:.1f} s, workers waited {exchanged.locked_seconds:.1f} s of these"
    )


def _refuse_unmade(states: dict[int, hours.HourState]) -> None:
    refused = [f"{_named(hour)} {hours.REFUSED[state]}" for hour, state in states.items() if state in hours.REFUSED]
    if refused:
        raise errors.OperationRefused("; ".join(refused))


def _refuse_truncated(earliest: dict[int, int]) -> None:
    gone = {partition: first for partition, first in earliest.items() if first}
    if gone:
        message = (
            f"the topic does not begin at offset 0 any more (first offsets by partition: {gone}): events of these "
            "hours may have been among the records that are gone, and would be missing from the new sums. Nothing was "
            "changed. If no event of these hours can be that old, or the loss is meant, add --from-truncated-log"
        )
        raise errors.OperationRefused(message)


def _refuse_adopted(older: Sequence[int]) -> None:
    if older:
        message = (
            f"{', '.join(map(_named, older))}: made before the topic was adopted (`adopt-topic`), so it may count "
            "records that the topic does not hold; they would be missing from the new sums. Nothing was changed. If "
            "the loss is meant, add --from-truncated-log"
        )
        raise errors.OperationRefused(message)


def _range(first: int, end: int | None) -> range:
    wanted = range(first, first + 1 if end is None else end)
    if not 0 < len(wanted) <= MOST_HOURS:
        message = f"--to-hour is the hour behind the last one: 1 to {MOST_HOURS} hours after --from-hour"
        raise commands.UsageError(message)
    return wanted


def _hour(text: str) -> int:
    """ "2022-03-22T12" as hours since 1970."""
    try:
        if not _HOUR_FORM.fullmatch(text):
            raise ValueError
        start = datetime.datetime.fromisoformat(f"{text}:00:00+00:00")
    except ValueError as error:
        message = f"{text!r} is no hour of the form 2022-03-22T12"
        raise argparse.ArgumentTypeError(message) from error
    return int(start.timestamp()) // 3600


def _named(hour: int) -> str:
    return f"{datetime.datetime.fromtimestamp(hour * 3600, datetime.UTC):%Y-%m-%dT%H}"
