"""The topic that the workers consume: events that arrive at random, good and bad, and what is asked about it beside."""

import random
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from broker import errors as broker_errors
from pipeline import letters
from stores.copying import Item
from tests.simulation.broker import Broker
from tests.simulation.connection import Network
from tests.simulation.records import Partition
from tests.support.fakes import log as fake_log

TOPIC: Final = "user-tags"
AGGREGATES: Final = "aggregates"
PROFILES: Final = "profiles"
GONE_HOUR: Final = fake_log.MINUTE // 60 - 10_000
"""An hour of event time that takes no more records."""
_LATER_MINUTE: Final = fake_log.MINUTE + 90
_BRAND: Final = "brand"
_CATEGORY: Final = "category"
REFUSED_COOKIE: Final = "refused"
"""One that the profile store does not take."""
Place = tuple[int, int]
"""(partition, offset)."""
_KINDS: Final = {
    "good": 80, "later": 14, "broken": 2, "empty": 1, "refused": 0.4, "refused cookie": 0.6, "gone": 1.5
}  # fmt: skip
_UNDECODABLE: Final = {"broken": b"broken", "empty": None}


class Event(msgspec.Struct, frozen=True):
    """A record that was appended, and what must become of it.

    `reason` is that of its dead letter in the aggregates group, `profile_reason` in the profiles group; None where it
    is taken. `time` is in ms. `cookie` and `action` are "" where the record cannot be decoded.
    """

    partition: int
    offset: int
    value: bytes | None
    time: int = 0
    reason: str | None = None
    profile_reason: str | None = None
    cookie: str = ""
    action: str = ""

    @property
    def place(self) -> Place:
        return self.partition, self.offset

    @property
    def origin(self) -> str:
        return f"{self.partition}/{self.offset}"

    @property
    def price(self) -> int:
        return self.offset + 1

    @property
    def item(self) -> Item:
        """What it is counted under."""
        return self.time // 60_000, self.action, self.origin, _BRAND, _CATEGORY

    @property
    def profile(self) -> tuple[str, str]:
        """Where it is kept."""
        return self.cookie, self.action


class Feed:
    """Appends events. `events` are all that were."""

    def __init__(self, broker: Broker, chosen: random.Random) -> None:
        self._broker, self._random = broker, chosen
        self.partitions: list[Partition] = broker.topics[TOPIC]
        self.events: list[Event] = []

    def append(self, most: int) -> None:
        """A batch of at most so many events, into one partition."""
        partition = self._random.randrange(len(self.partitions))
        first = self.partitions[partition].end
        count = self._random.randint(1, most)
        kinds = self._random.choices(list(_KINDS), list(_KINDS.values()), k=count)
        made = [_event(kind, partition, first + number) for number, kind in enumerate(kinds)]
        self._broker.append(TOPIC, partition, [(b"key", event.value) for event in made])
        self.events += made


def _event(kind: str, partition: int, offset: int) -> Event:
    if kind in _UNDECODABLE:
        return Event(partition, offset, _UNDECODABLE[kind], 0, letters.UNDECODABLE, letters.UNDECODABLE)
    minute, reason, profile_reason = fake_log.MINUTE, None, None
    texts = {
        "cookie": f"cookie-{offset % 3}",
        "action": "BUY" if offset % 4 == 0 else "VIEW",
        "brand_id": _BRAND,
        "category_id": _CATEGORY,
    }
    if kind == "later":
        minute = _LATER_MINUTE
    elif kind == "gone":
        minute, reason = GONE_HOUR * 60, letters.HOUR_GONE
    elif kind == "refused":
        reason, texts["brand_id"] = letters.REFUSED, "\0"
    elif kind == "refused cookie":
        profile_reason, texts["cookie"] = letters.REFUSED, REFUSED_COOKIE
    time = minute * 60_000 + offset
    value = fake_log.value(partition, offset, time=time, **texts)
    return Event(partition, offset, value, time, reason, profile_reason, texts["cookie"], texts["action"])


class TopicLog:
    """`pipeline.log.Log` and what the watchdog asks, over the same network as the consumers."""

    def __init__(self, network: Network) -> None:
        self._network = network

    @property
    def partitions(self) -> int:
        return len(self._network.broker.topics[TOPIC])

    async def verify(self) -> None:
        await self._asked(lambda: None)

    async def offsets(self) -> dict[int, tuple[int, int]]:
        found: dict[int, tuple[int, int]] = {}
        partitions = self._network.broker.topics[TOPIC]
        await self._asked(lambda: found.update({at: (each.start, each.end) for at, each in enumerate(partitions)}))
        return found

    async def committed(self, group: str) -> dict[int, int]:
        stored = self._network.broker.group(group).offsets
        found: dict[int, int] = {}
        await self._asked(lambda: found.update({partition: offset for (_, partition), (offset, _) in stored.items()}))
        return found

    async def with_records(self, starts: Mapping[int, int]) -> set[int]:
        """`pipeline.watchdog.Topic`."""
        found: set[int] = set()
        partitions = self._network.broker.topics[TOPIC]
        await self._asked(lambda: found.update(at for at, start in starts.items() if partitions[at].has_records(start)))
        return found

    async def assignments(self, group: str) -> dict[str, set[int]] | None:
        """`pipeline.membership.Groups`."""
        asked = self._network.broker.group(group)
        found: list[dict[str, set[int]] | None] = []
        await self._asked(lambda: found.append(asked.assignments()))
        return found[0]

    async def _asked(self, look: Callable[[], None]) -> None:
        if not await self._network.ask(look):
            message = "the broker is away"
            raise broker_errors.BrokerUnavailable(message)
