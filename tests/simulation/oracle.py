"""What must be in the database when all is counted."""

from collections.abc import Iterable, Iterator

from tests.simulation.storage import Storage
from tests.simulation.topic import Event
from tests.simulation.world import GROUP


def complaints(events: Iterable[Event], lost: set[tuple[int, int]], storage: Storage) -> list[str]:
    """Sentences on records that were not counted exactly once; those in `lost` may be missing, and no more."""
    return [*_events(list(events), lost, storage), *_totals(storage), *_strangers(list(events), storage)]


def _events(events: list[Event], lost: set[tuple[int, int]], storage: Storage) -> Iterator[str]:
    counted = {item[2]: sums for item, sums in storage.sums.items()}
    letters = storage.letters(GROUP)
    for event in events:
        place = (event.partition, event.offset)
        count, price = counted.get(event.origin, (0, 0))
        letter = letters.get(place)
        if place in lost and not count and letter is None:
            continue
        due = 0 if event.reason else 1
        if (count, price) != (due, due * event.price):
            yield f"record {event.origin} was counted {count} times with {price}, not {due} times"
        if (letter.reason if letter else None) != event.reason:
            yield f"record {event.origin} has the dead letter {letter}, not {event.reason}"


def _totals(storage: Storage) -> Iterator[str]:
    """The totals of each minute, action and partition are those of the sums beside them."""
    due: dict[tuple[int, str, int], tuple[int, int]] = {}
    for (minute, action, origin, *_), (count, price) in storage.sums.items():
        key = (minute, action, int(origin.partition("/")[0]))
        before = due.get(key, (0, 0))
        due[key] = (before[0] + count, before[1] + price)
    for key in due.keys() | storage.totals.keys():
        if due.get(key) != storage.totals.get(key):
            yield f"the total of {key} is {storage.totals.get(key)}, and its sums make {due.get(key)}"


def _strangers(events: list[Event], storage: Storage) -> Iterator[str]:
    origins = {event.origin for event in events}
    yield from (f"{item} was counted and never sent" for item in storage.sums if item[2] not in origins)
