"""Profile writes that wait to be made together, with the records that they come from and the offsets behind them."""

from collections.abc import Mapping, Sequence

from pipeline import batches, letters
from schemas import codec, errors
from stores import errors as store_errors
from stores import profiles


class Pending:
    """`writes` by what they are an entry of, `letters` of records that no profile takes, `ends` by partition.

    `records` is how many were added, whatever became of them.
    """

    def __init__(self, starts: Mapping[int, int] | None = None) -> None:
        """`starts` are the offsets that partitions are at before."""
        self.starts: Mapping[int, int] = starts or {}
        self.writes: dict[tuple[str, str, bytes], profiles.ProfileWrite] = {}
        self.letters: list[letters.Letter] = []
        self.ends: dict[int, int] = {}
        self.records = 0
        self._records: dict[tuple[str, str, bytes], tuple[int, batches.Record]] = {}

    def add(self, batch: batches.Batch) -> None:
        """Every record of `batch`."""
        for record in batch.records:
            self._add(batch.partition, record)
        self.records += len(batch.records)
        self.ends[batch.partition] = batch.next_offset

    async def write(self, store: profiles.ProfileStore) -> None:
        """Make the writes; the records of those that no try will make become letters.

        Raises `stores.errors.ProfileStoreUnavailable` while some are left for another try.
        """
        try:
            await store.add(list(self.writes.values()))
        except store_errors.PartialWrite as error:
            self._keep(error.failed)
            if self.writes:
                raise store_errors.ProfileStoreUnavailable(str(error)) from error

    def _keep(self, failures: Sequence[profiles.FailedWrite]) -> None:
        """All other writes are made, and of these the permanent failures are letters."""
        self.writes = {_key(failure.write): failure.write for failure in failures if not failure.permanent}
        for failure in failures:
            if failure.permanent:
                partition, record = self._records[_key(failure.write)]
                self.letters.append(letters.of_record(partition, record, letters.REFUSED, failure.reason))

    def _add(self, partition: int, record: batches.Record) -> None:
        try:
            write = write_of(partition, record.offset, record.value)
        except errors.UndecodableRecord as error:
            self.letters.append(letters.of_record(partition, record, letters.UNDECODABLE, str(error)))
            return
        self.writes[_key(write)] = write
        self._records[_key(write)] = (partition, record)


def write_of(partition: int, offset: int, value: bytes | None) -> profiles.ProfileWrite:
    """The entry that a record makes. Raises `schemas.errors.UndecodableRecord`."""
    tag = codec.decode_tag(value or b"")
    entry = profiles.entry_key(tag.time, tag.event_id, partition, offset)
    return profiles.ProfileWrite(tag.cookie, tag.action, entry, value or b"")


def _key(write: profiles.ProfileWrite) -> tuple[str, str, bytes]:
    return write.cookie, write.action, write.entry_key
