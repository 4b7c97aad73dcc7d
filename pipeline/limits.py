"""When broken records are too many: the fault is then likelier a reader's defect or a foreign producer than theirs."""

from collections.abc import Mapping, Sequence

from pipeline import errors, letters


class DeadLetterLimit:
    """Refuses more than `in_a_row` dead letters on consecutive offsets of one partition."""

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
        """Take note of `found`, in order of offset per partition. Raises `errors.TooManyDeadLetters`."""
        for letter in found:
            last, run = self._runs.get(letter.partition, (letter.offset - 1, 0))
            if letter.offset <= last:
                continue  # the same write, tried again or in parts
            run = run + 1 if letter.offset == last + 1 else 1
            self._runs[letter.partition] = (letter.offset, run)
            if run > self._in_a_row:
                self._refuse(letter, run)

    def _refuse(self, letter: letters.Letter, run: int) -> None:
        message = (
            f"{run} records in a row of partition {letter.partition} cannot be counted, the last one at offset "
            f"{letter.offset}: {letter.said}. The write they came with was not made. Look at what "
            "writes to the topic; raise DEAD_LETTERS_IN_A_ROW to go on regardless"
        )
        raise errors.TooManyDeadLetters(message)
