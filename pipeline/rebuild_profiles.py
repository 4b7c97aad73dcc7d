"""Write every event of the topic into the profile store again.

What a rebuild restores is what the topic still holds (KAFKA_RETENTION_HOURS), and the dead letters that were replayed.
Entries that are there stay as they are, missing ones come back, and nothing is doubled: an entry is named by its
record. Workers and gateways may go on meanwhile. Interrupted, run it again: it begins at the beginning.

With --wipe every profile is forgotten first, which frees the store of entries that no record stands for (and of those
whose record is gone from the topic: it is refused where the topic lacks its beginning, unless --from-truncated-log says
that their loss is meant). Until the rebuild ends, users see part of their history.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from typing import Final

import msgspec
import psycopg

from broker import connections, topics
from pipeline import batches, commands, errors, known_letters, log, pending, reading, retrying
from runtime import logging
from stores import dead_letter_ledger, profiles, profiles_factory

SUMMARY: Final = "write every event of the topic into the profile store again"
EXAMPLES: Final = """\
examples:
  python -m pipeline rebuild-profiles            # put back what is missing
  python -m pipeline rebuild-profiles --wipe     # from nothing
"""
WRITES_AT_ONCE: Final = 10_000

_log = logging.get_logger(__name__)


class Rebuilt(msgspec.Struct):
    """What was done. `letters` are records that no profile takes, `replayed` dead letters that were applied since."""

    records: int = 0
    letters: int = 0
    replayed: int = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wipe", action="store_true", help="forget every profile first")
    parser.add_argument(
        "--from-truncated-log", action="store_true", help="wipe although the topic does not hold its beginning any more"
    )


async def run(settings: commands.OperatorSettings, arguments: argparse.Namespace) -> int:
    began = time.monotonic()
    store = await profiles_factory.open_profiles(settings)
    try:
        done = await rebuild(settings, store, wipe=arguments.wipe, truncated=arguments.from_truncated_log)
    finally:
        await store.close()
    commands.say(
        f"{done.records} records read, {done.letters} of them dead letters, {done.replayed} replayed letters applied, "
        f"in {time.monotonic() - began:.1f} s"
    )
    return commands.DONE


async def rebuild(
    settings: commands.OperatorSettings, store: profiles.ProfileStore, *, wipe: bool = False, truncated: bool = False
) -> Rebuilt:
    """Everything that the topic holds now, into `store`. Raises `errors.OperationRefused` for a wipe that loses some.

    Short failures of the store are waited out.
    """
    topic = topics.describe(connections.Admin(settings.kafka_hosts), settings.kafka_topic)
    kafka = log.KafkaLog(settings.kafka_hosts, topic.name, topic.id)
    await store.ping()
    if wipe:
        _refuse_loss(await kafka.offsets(), truncated)
        await store.wipe()
        _log.info("profiles wiped")
    # Read after the wipe: what a worker wrote before it lies below these ends and is written again.
    reach = await kafka.offsets()
    known = await _known_letters(settings, topic)
    rebuilding = _Rebuilding(settings, store)
    await rebuilding.apply(known.replayed)
    async with reading.TopicReader(settings) as reader:
        starts = {partition: earliest for partition, (earliest, _) in reach.items()}
        async for batch in reader.read(starts, {partition: end for partition, (_, end) in reach.items()}):
            await rebuilding.add(batch, known)
    await rebuilding.write()
    await kafka.verify()
    return rebuilding.done


class _Rebuilding:
    """Entries on their way into the store."""

    def __init__(self, settings: commands.OperatorSettings, store: profiles.ProfileStore) -> None:
        self.done = Rebuilt()
        self._store, self._retrier, self._patience_s = store, retrying.Retrier(settings), settings.store_patience_s
        self._waiting = pending.Pending()

    async def apply(self, replayed: Sequence[dead_letter_ledger.Settled]) -> None:
        """The entries of dead letters that were replayed: the topic has their records as they were, broken."""
        writes = [pending.write_of(letter.partition, letter.offset, letter.value) for letter in replayed]
        await self._store.add(writes)
        self.done.replayed = len(writes)

    async def add(self, batch: batches.Batch, known: known_letters.KnownLetters) -> None:
        sifted = known.sift(batch)
        self.done.records += len(batch.records)
        self.done.letters += len(batch.records) - (len(sifted.records) if sifted else 0)
        if sifted:
            self._waiting.add(sifted)
        if len(self._waiting.writes) >= WRITES_AT_ONCE:
            await self.write()

    async def write(self) -> None:
        """What waits. Records that no profile takes are counted here; the worker, which meets them too, keeps them."""
        waiting, self._waiting = self._waiting, pending.Pending()
        async with asyncio.timeout(self._patience_s):
            await self._retrier.ask(lambda: waiting.write(self._store))
        self.done.letters += len(waiting.letters)


async def _known_letters(settings: commands.OperatorSettings, topic: topics.Topic) -> known_letters.KnownLetters:
    conninfo = settings.conninfo("allezone rebuild-profiles")
    async with await psycopg.AsyncConnection.connect(conninfo) as conn:
        letters = await dead_letter_ledger.settled(conn, settings.profiles_group)
    return known_letters.KnownLetters(letters, topic.id)


def _refuse_loss(reach: dict[int, tuple[int, int]], truncated: bool) -> None:
    gone = {partition: earliest for partition, (earliest, _) in reach.items() if earliest}
    if gone and not truncated:
        message = (
            f"the topic does not hold its beginning any more (first offsets by partition: {gone}): entries whose "
            "records are gone would be wiped for good. Rebuild without --wipe, which loses nothing, or say that the "
            "loss is meant with --from-truncated-log"
        )
        raise errors.OperationRefused(message)
