"""When broken records are too many: the fault is then likelier a reader's defect or a foreign producer than theirs."""

from collections.abc import Mapping, Sequence
from typing import Final

from pipeline import errors, letters

UNCOUNTED: Final = (letters.HOUR_GONE,)
"""Events that are as good as any but late: nobody's defect, however many come. Those of hours that no gateway lets in
(`HOUR_IMPOSSIBLE`) are somebody's, or the database's clock is wrong and all events are among them soon."""


class DeadLetterLimit:
    """Refuses more than `in_a_row` dead letters on consecutive offsets of one partition.

    Letters of a reason in `UNCOUNTED` neither count nor end a row.
    """

    def __init__(self, in_a_row: int) -> None:
        self._in_a_row = in_a_row
        self._runs: dict[int, tuple[int, int]] = {}

    @property
    def window(self) -> int:
        """How many letters below an offset can matter."""
        return self._in_a_row

    def resume(self, ends: Mapping[int, int], runs: Mapping[int, int]) -> None:
        """Go on where a worker before this one ended: so many letters lie right below each offset.

        Else each start anew would step over as many records again.
        """
        self._runs = {partition: (end - 1, runs[partition]) for partition, end in ends.items()}

    def check(self, found: Sequence[letters.Letter]) -> None:
        """Whether `found`, in order of offset per partition, may be written. Raises `errors.TooManyDeadLetters`."""
        for letter, run in _runs(found, dict(self._runs)):
            if run > self._in_a_row:
                self._refuse(letter, run)

    def note(self, written: Sequence[letters.Letter]) -> None:
        """`written` were checked and are stored.

        Not before: of a write that is tried again, or made in parts, more records may have become letters meanwhile.
        """
        _runs(written, self._runs)

    def _refuse(self, letter: letters.Letter, run: int) -> None:
        message = (
            f"{run} records in a row of partition {letter.partition} cannot be counted, the last one at offset "
            f"{letter.offset}: {letter.said}. The write they came with was not made. Look at what "
            "writes to the topic; raise DEAD_LETTERS_IN_A_ROW to go on regardless"
        )
        raise errors.TooManyDeadLetters(message)


def _runs(found: Sequence[letters.Letter], before: dict[int, tuple[int, int]]) -> list[tuple[letters.Letter, int]]:
    """Each letter with how many in a row it ends; `before`, `{partition: (last offset, run)}`, is moved behind them."""
    ended = []
    for letter in found:
        last, run = before.get(letter.partition, (letter.offset - 1, 0))
        if letter.offset <= last:
            continue  # of a write made before, tried again
        run = (run if letter.offset == last + 1 else 0) + (letter.reason not in UNCOUNTED)
        before[letter.partition] = (letter.offset, run)
        ended.append((letter, run))
    return ended
