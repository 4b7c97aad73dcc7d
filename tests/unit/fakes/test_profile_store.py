"""What goes wrong, to order, with the profile store in memory."""

import asyncio

import pytest

from stores import errors
from stores.profiles import Profile
from tests.contract.profile_store import FAR, tag
from tests.support import virtual_time
from tests.support.fakes.profile_store import Fault, ProfileServer

WRITES = [tag(number, cookie=f"c{number}") for number in range(4)]


def stored(server: ProfileServer) -> list[str]:
    return [cookie for cookie, _action in server.entries]


@pytest.mark.parametrize(
    ("fault", "kept", "kept_later"),
    [(Fault.ANSWER_LOST, 4, 4), (Fault.HALF_WRITTEN, 2, 2), (Fault.LATE, 0, 4)],
)
def test_a_store_that_says_it_is_away_may_have_written(fault: Fault, kept: int, kept_later: int) -> None:
    async def scene() -> None:
        server = ProfileServer(pause=lambda: 0.001)
        store = server.connect("one")
        server.strike(fault, late_s=5 if fault is Fault.LATE else 0)
        with pytest.raises(errors.ProfileStoreUnavailable):
            await store.add(WRITES)
        assert len(stored(server)) == kept
        await asyncio.sleep(10)
        assert len(stored(server)) == kept_later
        await store.add(WRITES)
        assert len(stored(server)) == 4

    virtual_time.run(scene())


def test_a_store_that_is_away_writes_nothing_and_answers_nobody() -> None:
    async def scene() -> None:
        server = ProfileServer()
        store = server.connect("one")
        server.away = True
        for call in (store.add(WRITES), store.ping(), store.wipe(), store.read("c0", -FAR, FAR, 1)):
            with pytest.raises(errors.ProfileStoreUnavailable):
                await call
        assert stored(server) == []

    virtual_time.run(scene())


def test_a_store_that_goes_away_in_mid_write_has_written_some() -> None:
    async def scene() -> None:
        server = ProfileServer(pause=lambda: 1.0)
        adding = asyncio.create_task(server.connect("one").add(WRITES))
        await asyncio.sleep(1.5)
        server.away = True
        with pytest.raises(errors.ProfileStoreUnavailable):
            await adding
        assert stored(server) == ["c0", "c1"]

    virtual_time.run(scene())


def test_a_frozen_store_writes_what_it_got_when_it_is_thawed_though_nobody_waits_any_more() -> None:
    async def scene() -> None:
        server = ProfileServer()
        server.freeze()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await server.connect("one").add(WRITES)
        assert stored(server) == []
        server.thaw()
        await asyncio.sleep(1)
        assert len(stored(server)) == 4

    virtual_time.run(scene())


def test_writes_refused_to_order_are_named_and_all_others_made() -> None:
    async def scene() -> None:
        server = ProfileServer()
        store = server.connect("one")
        server.refuse("c1", permanent=True)
        server.refuse("c2", permanent=False, times=1)
        with pytest.raises(errors.PartialWrite) as caught:
            await store.add(WRITES)
        failed = [(failure.write, failure.permanent) for failure in caught.value.failed]
        assert failed == [(WRITES[1], True), (WRITES[2], False)]
        with pytest.raises(errors.PartialWrite) as caught:
            await store.add(WRITES[1:3])
        assert [failure.write for failure in caught.value.failed] == [WRITES[1]]
        assert stored(server) == ["c0", "c3", "c2"]

    virtual_time.run(scene())


def test_what_a_killed_client_sent_is_written_and_it_sends_no_more() -> None:
    async def scene() -> None:
        server = ProfileServer(pause=lambda: 1.0)
        store = server.connect("one")
        adding = asyncio.create_task(store.add(WRITES[:2]))
        await asyncio.sleep(0.5)
        server.vanish("one")
        await adding
        assert stored(server) == ["c0", "c1"]
        with pytest.raises(errors.ProfileStoreUnavailable):
            await store.add(WRITES)
        assert await server.connect("two").read("c3", -FAR, FAR, 1) == Profile([], [])

    virtual_time.run(scene())
