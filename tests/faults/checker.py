"""Judges what is stored by what the senders were told.

Acknowledged: counted exactly once. Refused: never. Unknown: at most once. Nothing else is counted at all. The same
holds of profiles, and an event that is in one is in the other.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from tests.faults.history import ACKNOWLEDGED, REFUSED, UNKNOWN, Entry, Status

_SHOWN = 5


class Verdict(msgspec.Struct, frozen=True):
    """The ids of the events that break a promise, by which one, and how many requests ended in which way.

    `uninvited` were refused or never sent and are counted; `elsewhere` are in the sums and not in a profile or the
    other way round; `repeated` are ids of several requests, which nobody can judge.
    """

    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    unknown: int = 0
    counted: int = 0
    lost: list[str] = []
    doubled: list[str] = []
    uninvited: list[str] = []
    elsewhere: list[str] = []
    repeated: list[str] = []

    @property
    def failures(self) -> list[str]:
        """A sentence for each kind of broken promise; none if all were kept."""
        kinds = {
            "acknowledged and not stored": self.lost,
            "stored more than once": self.doubled,
            "stored though refused or never sent": self.uninvited,
            "in the sums or in a profile, not in both": self.elsewhere,
            "ids of several requests": self.repeated,
        }
        return [f"{len(names)} {what}: {_some(names)}" for what, names in kinds.items() if names]


def check(history: Iterable[Entry], counted: Mapping[str, int], profiled: Mapping[str, int] | None = None) -> Verdict:
    """Judge. `counted` is `{id: events in the sums}`, `profiled` `{id: entries in its profile}`; None leaves it out."""
    entries = list(history)
    told = {entry.id: entry.status for entry in entries}
    statuses = Counter(entry.status for entry in entries)
    stores = [counted] if profiled is None else [counted, profiled]
    return Verdict(
        sent=len(entries),
        acknowledged=statuses[ACKNOWLEDGED],
        refused=statuses[REFUSED],
        unknown=statuses[UNKNOWN],
        counted=sum(counted.values()),
        lost=_of_any(stores, lambda store: _acknowledged(told) - _present(store)),
        doubled=_of_any(stores, lambda store: {name for name, times in store.items() if times > 1}),
        uninvited=_of_any(stores, lambda store: {n for n in _present(store) if told.get(n, REFUSED) == REFUSED}),
        elsewhere=[] if profiled is None else sorted(_present(counted) ^ _present(profiled)),
        repeated=sorted(name for name, times in Counter(entry.id for entry in entries).items() if times > 1),
    )


def _of_any(stores: Sequence[Mapping[str, int]], found: Callable[[Mapping[str, int]], set[str]]) -> list[str]:
    """The ids that are found in one of the stores or in several."""
    return sorted(set().union(*map(found, stores)))


def _acknowledged(told: Mapping[str, Status]) -> set[str]:
    return {name for name, status in told.items() if status == ACKNOWLEDGED}


def _present(store: Mapping[str, int]) -> set[str]:
    return {name for name, times in store.items() if times}


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
