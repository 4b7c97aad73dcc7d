"""The garbage collector, set for a process that makes and drops a hundred thousand objects a write.

Records, keys and sums are freed by their reference counts; none of them is part of a cycle. With Python's defaults the
collector looks at them all the same, and at everything imported, several times a write: 2 us an event of 7 for folding
and encoding alone, as much as decoding costs.
"""

import gc
from typing import Final

YOUNG: Final = 50_000
"""Objects made, and not freed, until the young ones are looked at; 700 by default."""


def calm() -> None:
    """What lives now is never looked at again, and what comes rarely. To be called when everything is imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 50)
