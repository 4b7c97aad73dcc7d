"""Records that a group stepped over once: the dead letters decide what they count, not the log."""

from collections.abc import Sequence
from uuid import UUID

from pipeline import batches
from stores import dead_letter_ledger


class KnownLetters:
    """A group's dead letters, as they stood when they were read.

    `replayed` are those that are in the output, of whatever topic: with the values that were taken, mended or not.
    """

    def __init__(self, letters: Sequence[dead_letter_ledger.Settled], topic_id: UUID) -> None:
        self.replayed = [letter for letter in letters if letter.replayed]
        self._offsets: dict[int, set[int]] = {}
        for letter in letters:
            if letter.topic_id == topic_id:
                self._offsets.setdefault(letter.partition, set()).add(letter.offset)

    def sift(self, batch: batches.Batch) -> batches.Batch | None:
        """The records of `batch` that are no dead letters; None where there are no others."""
        letters = self._offsets.get(batch.partition)
        if not letters:
            return batch
        kept = [record for record in batch.records if record.offset not in letters]
        return batches.Batch(batch.partition, kept) if kept else None
