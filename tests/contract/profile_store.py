"""What every profile store must do: a mixin, inherited once per adapter (test_profile_stores.py)."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from stores import errors
from stores.profiles import KEPT, Profile, ProfileStore, ProfileWrite, entry_key
from tests.support import profiles_oracle

FAR = 2**62
NOON = 1_647_950_400_000  # 2022-03-22T12:00:00.000Z
HOSTILE = [
    " ",
    "a/b%2Fc?d#e",
    "'; DROP TABLE profile_tags; --",
    '"\\',
    "żółć",
    "🛒" * 128,
    "x" * 512,
    "\n\t\x01\x7f",
    "é",
    "e\u0301",  # the same to the eye, another cookie
    "NULL",
    "{}",
    "\ufffe",
]


def tag(number: int, *, cookie: str = "c", action: str = "VIEW", time: int | None = None) -> ProfileWrite:
    """An entry of its own, a millisecond after the one before it unless a time is given."""
    at = NOON + number if time is None else time
    return ProfileWrite(cookie, action, entry_key(at, None, 0, number), f"{action} {number}".encode())


class ProfileStoreContract:
    """Inherit it and give a fixture `store`: an empty store of your kind."""

    async def check(
        self,
        store: ProfileStore,
        writes: Sequence[ProfileWrite],
        *,
        cookie: str = "c",
        from_ms: int = -FAR,
        to_ms: int = FAR,
        limit: int = KEPT,
    ) -> Profile:
        """The store answers as the oracle does after `writes`."""
        answer = await store.read(cookie, from_ms, to_ms, limit)
        assert answer == profiles_oracle.expected(writes, cookie, from_ms, to_ms, limit)
        return answer

    async def test_an_unknown_cookie_has_an_empty_profile(self, store: ProfileStore) -> None:
        assert await store.read("nobody", -FAR, FAR, KEPT) == Profile([], [])

    async def test_views_and_buys_come_back_apart_newest_first(self, store: ProfileStore) -> None:
        await store.add([tag(1), tag(2, action="BUY"), tag(3), tag(4, cookie="other")])

        assert await store.read("c", -FAR, FAR, KEPT) == Profile([b"VIEW 3", b"VIEW 1"], [b"BUY 2"])

    async def test_a_cookie_with_one_action_only(self, store: ProfileStore) -> None:
        await store.add([tag(1, action="BUY")])

        assert await store.read("c", -FAR, FAR, KEPT) == Profile([], [b"BUY 1"])

    async def test_nothing_to_add_is_nothing_to_do(self, store: ProfileStore) -> None:
        await store.add([])

    async def test_tags_of_one_millisecond_are_all_kept(self, store: ProfileStore) -> None:
        writes = [tag(number, time=NOON) for number in range(50)]
        await store.add(writes)

        await self.check(store, writes, from_ms=NOON, to_ms=NOON + 1)

    async def test_identical_tags_are_all_kept(self, store: ProfileStore) -> None:
        writes = [ProfileWrite("c", "VIEW", entry_key(NOON, None, 2, offset), b"the same") for offset in range(5)]
        await store.add(writes)

        assert await store.read("c", NOON, NOON + 1, KEPT) == Profile([b"the same"] * 5, [])

    async def test_an_event_sent_twice_with_its_id_is_one_entry(self, store: ProfileStore) -> None:
        first, again = (ProfileWrite("c", "BUY", entry_key(NOON, "order 7", 1, offset), b"once") for offset in (4, 9))
        await store.add([first])
        await store.add([again])

        assert await store.read("c", NOON, NOON + 1, KEPT) == Profile([], [b"once"])

    async def test_the_order_of_arrival_does_not_matter(self, store: ProfileStore) -> None:
        writes = [tag(number, action=("VIEW", "BUY")[number % 2]) for number in range(700)]
        shuffled = random.Random(3).sample(writes, len(writes))  # noqa: S311
        for start in range(0, len(shuffled), 70):
            await store.add(shuffled[start : start + 70])

        await self.check(store, writes)

    @pytest.mark.parametrize("batch", [1, 199, 200, 201, 5_000])
    async def test_a_hot_cookie_keeps_its_newest(self, store: ProfileStore, batch: int) -> None:
        count = 250 if batch == 1 else 5_000
        writes = [tag(number) for number in range(count)]
        for start in range(0, count, batch):
            await store.add(writes[start : start + batch])

        answer = await self.check(store, writes)
        assert len(answer.views) == KEPT

    async def test_each_action_has_its_own_limit(self, store: ProfileStore) -> None:
        writes = [tag(number, action="BUY") for number in range(3)] + [tag(number) for number in range(300)]
        await store.add(writes)

        answer = await self.check(store, writes)
        assert (len(answer.views), len(answer.buys)) == (KEPT, 3)

    async def test_a_narrow_range_far_back_is_found_with_a_small_limit(self, store: ProfileStore) -> None:
        writes = [tag(number) for number in range(200)]
        await store.add(writes)

        answer = await self.check(store, writes, from_ms=NOON + 3, to_ms=NOON + 8, limit=2)
        assert answer.views == [b"VIEW 7", b"VIEW 6"]

    async def test_what_is_no_longer_kept_is_in_no_range(self, store: ProfileStore) -> None:
        writes = [tag(number) for number in range(300)]
        for write in writes:
            await store.add([write])

        answer = await self.check(store, writes, from_ms=NOON, to_ms=NOON + 150)
        assert len(answer.views) == 50

    async def test_a_range_takes_its_first_millisecond_and_leaves_its_last(self, store: ProfileStore) -> None:
        writes = [tag(number) for number in range(10)]
        await store.add(writes)

        answer = await self.check(store, writes, from_ms=NOON + 2, to_ms=NOON + 4)
        assert answer.views == [b"VIEW 3", b"VIEW 2"]

    @pytest.mark.parametrize(("from_ms", "to_ms"), [(5, 5), (NOON + 9, NOON), (-(2**70), 2**70)])
    async def test_ranges_empty_reversed_or_beyond_every_time(
        self, store: ProfileStore, from_ms: int, to_ms: int
    ) -> None:
        writes = [tag(number) for number in range(10)]
        await store.add(writes)

        await self.check(store, writes, from_ms=from_ms, to_ms=to_ms)

    async def test_times_before_1970_sort_before_those_after(self, store: ProfileStore) -> None:
        times = [-62_135_596_800_000, -1, 0, 1, 253_402_300_799_999]
        writes = [tag(number, time=time) for number, time in enumerate(times)]
        await store.add(writes)

        await self.check(store, writes)
        await self.check(store, writes, from_ms=-1, to_ms=1)

    async def test_a_replay_changes_nothing(self, store: ProfileStore) -> None:
        writes = [tag(number) for number in range(450)]
        await store.add(writes)
        before = await self.check(store, writes)

        await store.add(writes[:30])  # trimmed long ago: they neither come back nor push newer ones out
        assert await store.read("c", -FAR, FAR, KEPT) == before
        await store.add(writes[240:260])  # some of them kept, some not
        assert await store.read("c", -FAR, FAR, KEPT) == before
        await store.add(writes)
        assert await store.read("c", -FAR, FAR, KEPT) == before

    async def test_an_entry_older_than_all_kept_is_dropped(self, store: ProfileStore) -> None:
        writes = [tag(number) for number in range(1, 201)]
        await store.add(writes)
        before = await self.check(store, writes)

        await store.add([tag(0)])

        assert await store.read("c", -FAR, FAR, KEPT) == before

    async def test_an_entry_between_those_kept_pushes_the_oldest_out(self, store: ProfileStore) -> None:
        writes = [tag(number) for number in range(0, 400, 2)]
        await store.add(writes)

        await store.add([tag(101)])

        await self.check(store, [*writes, tag(101)])

    async def test_of_two_values_under_one_key_the_last_stays(self, store: ProfileStore) -> None:
        key = entry_key(NOON, "id", 0, 0)
        await store.add([ProfileWrite("c", "VIEW", key, b"first"), ProfileWrite("c", "VIEW", key, b"second")])
        assert (await store.read("c", NOON, NOON + 1, KEPT)).views == [b"second"]

        await store.add([ProfileWrite("c", "VIEW", key, b"third")])
        assert (await store.read("c", NOON, NOON + 1, KEPT)).views == [b"third"]

    async def test_hostile_cookies_are_cookies_like_others(self, store: ProfileStore) -> None:
        writes = [tag(number, cookie=cookie) for number, cookie in enumerate(HOSTILE)]
        await store.add(writes)

        for cookie in HOSTILE:
            answer = await self.check(store, writes, cookie=cookie)
            assert len(answer.views) == 1

    @pytest.mark.parametrize("cookie", ["", "a\0b", "x" * 513, "ż" * 257, "\ud800"])
    async def test_a_cookie_that_cannot_be_stored_fails_alone(self, store: ProfileStore, cookie: str) -> None:
        bad, good = tag(1, cookie=cookie), tag(2)

        with pytest.raises(errors.PartialWrite) as caught:
            await store.add([bad, good])

        assert [(failure.write, failure.permanent) for failure in caught.value.failed] == [(bad, True)]
        assert await store.read(cookie, -FAR, FAR, KEPT) == Profile([], [])
        await self.check(store, [good])

    @pytest.mark.parametrize("value", [b"", b"\0" * 100, bytes(range(256)), b"v" * 4_200])
    async def test_any_bytes_are_a_value(self, store: ProfileStore, value: bytes) -> None:
        await store.add([ProfileWrite("c", "VIEW", entry_key(NOON, None, 0, 0), value)])

        assert (await store.read("c", NOON, NOON + 1, KEPT)).views == [value]

    async def test_a_full_profile_of_large_tags_fits(self, store: ProfileStore) -> None:
        writes = [
            ProfileWrite("x" * 512, action, entry_key(NOON + number, None, 0, number), number.to_bytes(2) * 500)
            for number in range(KEPT)
            for action in ("VIEW", "BUY")
        ]
        await store.add(writes)

        await self.check(store, writes, cookie="x" * 512)

    async def test_writers_of_one_cookie_at_once_lose_nothing(self, store: ProfileStore) -> None:
        writes = [tag(number, action=("VIEW", "BUY")[number % 2]) for number in range(2_000)]

        async def write(first: int) -> None:
            own = writes[first::4]
            for start in range(0, len(own), 50):
                await store.add(own[start : start + 50])

        await asyncio.gather(*(write(first) for first in range(4)))

        await self.check(store, writes)

    async def test_writers_of_the_same_entries_at_once_do_not_stand_in_each_others_way(
        self, store: ProfileStore
    ) -> None:
        writes = [tag(number, cookie=f"c{number % 10}") for number in range(3_000)]
        shuffled = [random.Random(seed).sample(writes, len(writes)) for seed in range(4)]  # noqa: S311

        async def write(own: list[ProfileWrite]) -> None:
            for start in range(0, len(own), 300):
                await store.add(own[start : start + 300])

        await asyncio.gather(*(write(own) for own in shuffled))

        for number in range(10):
            await self.check(store, writes, cookie=f"c{number}")

    async def test_a_reader_beside_writers_always_sees_a_full_profile(self, store: ProfileStore) -> None:
        writes = [tag(number) for number in range(2_000)]
        await store.add(writes[:KEPT])
        done = asyncio.Event()

        async def read() -> int:
            reads = 0
            while not done.is_set():
                views = (await store.read("c", -FAR, FAR, KEPT)).views
                newest = int(views[0].split()[1])
                assert views == [f"VIEW {number}".encode() for number in range(newest, newest - KEPT, -1)]
                reads += 1
            return reads

        reading = asyncio.create_task(read())
        for number in range(KEPT, 2_000, 20):
            await store.add(writes[number : number + 20])
        done.set()

        assert await reading > 0

    async def test_wiping_forgets_everything(self, store: ProfileStore) -> None:
        await store.add([tag(1)])

        await store.wipe()

        async with asyncio.timeout(10):  # a cluster's nodes hear of it one after the other
            while True:
                if await store.read("c", -FAR, FAR, KEPT) == Profile([], []):
                    return
                await asyncio.sleep(0.01)

    async def test_it_answers_a_ping(self, store: ProfileStore) -> None:
        await store.ping()
