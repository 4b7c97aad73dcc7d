"""A profile store in memory, with faults to order.

    store = ProfileServer(pause=lambda: rng.expovariate(1000))
    profiles = store.connect("worker 1")                # a `profiles.ProfileStore`; every client has its own
    store.entries                                       # {(cookie, action): {entry key: value}}, what is kept

    store.away = True                                   # nothing is written, and said so
    store.freeze(), .thaw()                             # no answer; what arrived is written when it is thawed
    store.strike(Fault.ANSWER_LOST)                     # the next add: all written, but said to be away
    store.strike(Fault.HALF_WRITTEN)                    # some written, and said to be away
    store.strike(Fault.LATE, late_s=5)                  # said to be away now, and all written later
    store.refuse("cookie", permanent=True)              # PartialWrite names it, always; all others are written
    store.refuse("cookie", permanent=False, times=2)    # ... for two writes
    store.vanish("worker 1")                            # SIGKILL: what it sent is written, it sends no more

What a client sent is written whether or not the client waits for it, in two parts with a moment between.
"""

import asyncio
import dataclasses
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final, NamedTuple

from stores import errors, profiles
from stores.profiles import KEPT, FailedWrite, Profile, ProfileWrite
from tests.support.fakes.pace import Pace

FOR_EVER: Final = 2**63


class Fault(Enum):
    """What becomes of one add. The client hears that the store is away."""

    ANSWER_LOST = "all is written"
    HALF_WRITTEN = "some is written"
    LATE = "all is written, later"


class _Strike(NamedTuple):
    fault: Fault
    client: str | None
    late_s: float


@dataclasses.dataclass
class _Refusal:
    permanent: bool
    times: int


class ProfileServer:
    """What all clients share. `adds` counts the calls of add that arrived."""

    def __init__(self, pause: Callable[[], float] = lambda: 0.0) -> None:
        """A message takes `pause()` seconds each way, and so does each part of a write."""
        self.pace = Pace(pause)
        self.entries: dict[tuple[str, str], dict[bytes, bytes]] = {}
        self.away = False
        self.adds = 0
        self._refusals: dict[str, _Refusal] = {}
        self._strikes: list[_Strike] = []
        self._vanished: list[str] = []

    def connect(self, client: str) -> "FakeProfiles":
        return FakeProfiles(self, client)

    def freeze(self) -> None:
        self.pace.freeze()

    def thaw(self) -> None:
        self.pace.thaw()

    def strike(self, fault: Fault, client: str | None = None, late_s: float = 0.0) -> None:
        """Once, at the next add (of that client)."""
        self._strikes.append(_Strike(fault, client, late_s))

    def refuse(self, cookie: str, *, permanent: bool, times: int = FOR_EVER) -> None:
        """So many writes of a cookie fail by name."""
        self._refusals[cookie] = _Refusal(permanent, times)

    def vanish(self, client: str) -> None:
        self._vanished.append(client)

    # -- for clients ---------------------------------------------------------------------------------------------------

    def refuse_vanished(self, client: str) -> None:
        """Nothing of a client whose process is dead is sent."""
        if client in self._vanished:
            raise unavailable()

    def next_strike(self, client: str) -> _Strike | None:
        """Taken off the list."""
        for at, strike in enumerate(self._strikes):
            if strike.client in (None, client):
                return self._strikes.pop(at)
        return None

    async def arrive(self) -> None:
        """A message's way here."""
        await self.pace.moment()
        if self.away:
            raise unavailable()

    async def add(self, writes: Sequence[ProfileWrite], strike: _Strike | None) -> list[FailedWrite] | None:
        """All that is no named failure, in two parts; None where it went away before the end."""
        await asyncio.sleep(strike.late_s if strike else 0)
        ordered, failed = profiles.sift(writes)
        try:
            await self.arrive()
            self.adds += 1
            taken = [write for write in ordered if not self._refused(write, failed)]
            middle = len(taken) // 2
            self._keep(taken[:middle])
            if strike is not None and strike.fault is Fault.HALF_WRITTEN:
                return None
            await self.arrive()
            self._keep(taken[middle:])
        except errors.ProfileStoreUnavailable:
            return None
        await self.pace.moment()
        return failed

    def newest(self, profile: tuple[str, str], from_ms: int, to_ms: int, limit: int) -> list[bytes]:
        entries, first, end = self.entries.get(profile, {}), profiles.range_end(from_ms), profiles.range_end(to_ms)
        return [entries[key] for key in sorted(entries, reverse=True) if first <= key < end][:limit]

    # -- details -------------------------------------------------------------------------------------------------------

    def _refused(self, write: ProfileWrite, failed: list[FailedWrite]) -> bool:
        refusal = self._refusals.get(write.cookie)
        if refusal is None or not refusal.times:
            return False
        refusal.times -= 1
        failed.append(FailedWrite(write, "refused to order", refusal.permanent))
        return True

    def _keep(self, writes: Sequence[ProfileWrite]) -> None:
        for write in writes:
            self.entries.setdefault((write.cookie, write.action), {})[write.entry_key] = write.value
        for profile in dict.fromkeys((write.cookie, write.action) for write in writes):
            entries = self.entries[profile]
            for key in sorted(entries)[:-KEPT]:
                del entries[key]


class FakeProfiles:
    """`profiles.ProfileStore` of one client. What is sent is written, also when the call is cancelled."""

    def __init__(self, server: ProfileServer, client: str) -> None:
        self._server, self._client = server, client

    async def add(self, writes: Sequence[ProfileWrite]) -> None:
        if not writes:
            return
        self._server.refuse_vanished(self._client)
        strike = self._server.next_strike(self._client)
        making = self._server.pace.spawn(self._server.add(list(writes), strike))
        failed = None if strike is not None and strike.fault is Fault.LATE else await asyncio.shield(making)
        if failed is None or strike is not None:
            raise unavailable()
        if failed:
            raise errors.PartialWrite(failed)

    async def read(self, cookie: str, from_ms: int, to_ms: int, limit: int) -> Profile:
        await self._server.arrive()
        views, buys = (self._server.newest((cookie, action), from_ms, to_ms, limit) for action in ("VIEW", "BUY"))
        return Profile(views, buys)

    async def ping(self) -> None:
        await self._server.arrive()

    async def wipe(self) -> None:
        await self._server.arrive()
        self._server.entries.clear()

    async def close(self) -> None:
        self._server.vanish(self._client)


def unavailable() -> errors.ProfileStoreUnavailable:
    return errors.ProfileStoreUnavailable("no answer from the store")
