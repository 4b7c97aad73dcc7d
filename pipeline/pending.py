"""Profile writes that wait to be made together, with the records that they come from and the offsets behind them."""

from collections.abc import Sequence

from pipeline import batches
from pipeline.folding import REFUSED, UNDECODABLE
from schemas import codec, errors
from stores import flush, profiles


class Pending:
    """`writes` by what they are an entry of, `letters` of records that no profile takes, `ends` by partition."""

    def __init__(self) -> None:
        self.writes: dict[tuple[str, str, bytes], profiles.ProfileWrite] = {}
        self.letters: list[flush.Letter] = []
        self.ends: dict[int, int] = {}
        self._records: dict[tuple[str, str, bytes], tuple[int, batches.Record]] = {}

    def add(self, batch: batches.Batch) -> None:
        """Every record of `batch`."""
        for record in batch.records:
            self._add(batch.partition, record)
        self.ends[batch.partition] = batch.next_offset

    def refuse(self, failure: profiles.FailedWrite) -> None:
        """A write that no try will make: its record becomes a dead letter."""
        key = _key(failure.write)
        partition, record = self._records[key]
        self.letters.append(_letter(partition, record, REFUSED, failure.reason))
        del self.writes[key]

    def keep(self, failures: Sequence[profiles.FailedWrite]) -> None:
        """All other writes are made."""
        self.writes = {_key(failure.write): failure.write for failure in failures}

    def _add(self, partition: int, record: batches.Record) -> None:
        try:
            tag = codec.decode_tag(record.value or b"")
        except errors.UndecodableRecord as error:
            self.letters.append(_letter(partition, record, UNDECODABLE, str(error)))
            return
        entry = profiles.entry_key(tag.time, tag.event_id, partition, record.offset)
        write = profiles.ProfileWrite(tag.cookie, tag.action, entry, record.value or b"")
        self.writes[_key(write)] = write
        self._records[_key(write)] = (partition, record)


def _key(write: profiles.ProfileWrite) -> tuple[str, str, bytes]:
    return write.cookie, write.action, write.entry_key


def _letter(partition: int, record: batches.Record, reason: str, detail: str) -> flush.Letter:
    return flush.Letter(partition, record.offset, record.key, record.value, reason, detail)
