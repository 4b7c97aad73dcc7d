"""Which tags have been answered, and since when: what a query may ask about."""

from bisect import bisect_right
from collections import deque
from typing import Final

_REMEMBERED_SECONDS: Final = 90.0
_STEP_SECONDS: Final = 0.1


class Ledger:
    """Answers to the tags 0, 1, 2, ... in whatever order they come. Times are in seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._answered_below = 0
        self._answered_above: set[int] = set()
        self._marks: deque[tuple[float, int]] = deque()

    def answer(self, serial: int, now: float) -> None:
        """The tag was answered, or given up."""
        self._answered_above.add(serial)
        while self._answered_below in self._answered_above:
            self._answered_above.remove(self._answered_below)
            self._answered_below += 1
        if not self._marks or now - self._marks[-1][0] >= _STEP_SECONDS:
            self._marks.append((now, self._answered_below))
            while self._marks[0][0] < now - _REMEMBERED_SECONDS:
                self._marks.popleft()

    def answered_before(self, moment: float) -> int:
        """All tags with a lower serial number than this were answered by that moment; never too many."""
        marks = list(self._marks)
        place = bisect_right(marks, (moment, 2**63))
        return marks[place - 1][1] if place else 0
