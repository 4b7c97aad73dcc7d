"""What must be in the stores when all is done: each record once, dead letters exactly the bad ones."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from stores import dead_letters, profiles
from stores.copying import Item
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
    """Every event has an origin of its own: all that is counted under it is the event's, in whatever minute."""
    found: dict[str, dict[Item, tuple[int, int]]] = {}
    for item, sums in storage.sums.items():
        found.setdefault(item[2], {})[item] = sums
    for event in events:
        counted = found.get(event.origin, {})
        if event.place in lost and not counted and event.place not in letters:
            continue
        due = {} if event.reason else {event.item: (1, event.price)}
        if counted != due:
            yield f"record {event.origin} was counted as {counted}, not as {due}"
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
    found: dict[bytes, dict[tuple[str, str], bytes | None]] = {}
    for profile, entries in store.entries.items():
        for key, value in entries.items():
            found.setdefault(key, {})[profile] = value
    for event in events:
        kept = found.get(_key(event), {})
        if event.place in lost and not kept and event.place not in letters:
            continue
        due = {} if event.profile_reason else {event.profile: event.value}
        if kept != due:
            yield f"record {event.origin} stands in the profiles {kept}, not in {due}"
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
