"""What must be in the stores when all is done: each record once, dead letters exactly the bad ones."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from stores import dead_letters, profiles
from tests.simulation.storage import Storage
from tests.simulation.topic import AGGREGATES, PROFILES, Event, Place
from tests.support.fakes.profile_store import ProfileServer

Letters = Mapping[Place, dead_letters.Letter]


def counted(events: Sequence[Event], lost: Collection[Place], storage: Storage) -> list[str]:
    """Sentences on records that were not counted exactly once; those in `lost` may be missing, and no more."""
    letters = storage.letters(AGGREGATES)
    return [*_sums(events, lost, storage, letters), *_totals(storage), *_strange_sums(events, storage)]


def profiled(events: Sequence[Event], lost: Collection[Place], store: ProfileServer, storage: Storage) -> list[str]:
    """Sentences on records that do not stand exactly once in a profile."""
    letters = storage.letters(PROFILES)
    return [*_entries(events, lost, store, letters, storage.lost_letters), *_strange_entries(events, store)]


def _sums(events: Sequence[Event], lost: Collection[Place], storage: Storage, letters: Letters) -> Iterator[str]:
    found = {item[2]: sums for item, sums in storage.sums.items()}
    for event in events:
        count, price = found.get(event.origin, (0, 0))
        if event.place in lost and not count and event.place not in letters:
            continue
        due = 0 if event.reason else 1
        if (count, price) != (due, due * event.price):
            yield f"record {event.origin} was counted {count} times with {price}, not {due} times"
        yield from _letter(event, event.reason, letters)


def _totals(storage: Storage) -> Iterator[str]:
    """The totals of each minute, action and partition are those of the sums beside them."""
    due: dict[tuple[int, str, int], tuple[int, int]] = {}
    for (minute, action, origin, *_), (count, price) in storage.sums.items():
        key = (minute, action, int(origin.partition("/")[0]))
        before = due.get(key, (0, 0))
        due[key] = (before[0] + count, before[1] + price)
    for key in sorted(due.keys() | storage.totals.keys()):
        if due.get(key) != storage.totals.get(key):
            yield f"the total of {key} is {storage.totals.get(key)}, and its sums make {due.get(key)}"


def _strange_sums(events: Sequence[Event], storage: Storage) -> Iterator[str]:
    origins = {event.origin for event in events}
    yield from (f"{item} was counted and never sent" for item in storage.sums if item[2] not in origins)


def _entries(
    events: Sequence[Event],
    lost: Collection[Place],
    store: ProfileServer,
    letters: Letters,
    forgotten: Collection[Place],
) -> Iterator[str]:
    found = {key: value for entries in store.entries.values() for key, value in entries.items()}
    for event in events:
        value = found.get(_key(event))
        if event.place in lost and value is None and event.place not in letters:
            continue
        if value != (None if event.profile_reason else event.value):
            yield f"record {event.origin} stands in its profile as {value!r}"
        if event.place not in forgotten:
            yield from _letter(event, event.profile_reason, letters)


def _strange_entries(events: Sequence[Event], store: ProfileServer) -> Iterator[str]:
    known = {_key(event) for event in events}
    for profile, entries in store.entries.items():
        yield from (f"{profile} has an entry that was never sent: {key!r}" for key in entries if key not in known)


def _key(event: Event) -> bytes:
    return profiles.entry_key(event.time, None, event.partition, event.offset)


def _letter(event: Event, reason: str | None, letters: Letters) -> Iterator[str]:
    letter = letters.get(event.place)
    if (letter.reason if letter else None) != reason:
        yield f"record {event.origin} has the dead letter {letter}, not {reason}"
