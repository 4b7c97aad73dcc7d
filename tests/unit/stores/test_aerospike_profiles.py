"""What the Aerospike adapter does when records, calls or the whole cluster fail."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aerospike import exception

from stores import aerospike_profiles, errors, profiles_factory
from stores.aerospike_profiles import AerospikeProfiles
from stores.profiles import KEPT, Profile, ProfileWrite, entry_key
from tests.support.aerospike_client import FakeClient

TIMEOUT, BUSY, UNAVAILABLE, TOO_BIG = 9, 14, 11, 13


def tag(number: int, *, cookie: str = "c", value: bytes = b"tag") -> ProfileWrite:
    return ProfileWrite(cookie, "VIEW", entry_key(number, None, 0, number), value)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aerospike_profiles, "RETRY_PAUSES", (0.0, 0.0))


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest_asyncio.fixture
async def store(client: FakeClient) -> AsyncIterator[AerospikeProfiles]:
    store = AerospikeProfiles(lambda: client, "test", "profiles")
    yield store
    await store.close()


async def stored(store: AerospikeProfiles, cookie: str) -> int:
    return len((await store.read(cookie, 0, 2**40, KEPT)).views)


async def test_only_failed_records_are_written_again(client: FakeClient, store: AerospikeProfiles) -> None:
    client.fail("busy", [BUSY, TIMEOUT])

    await store.add([tag(1, cookie="busy"), tag(2, cookie="busy"), tag(3, cookie="fine")])

    assert [[record.key[2] for record in batch] for batch in client.batches] == [["busy", "fine"], ["busy"], ["busy"]]
    assert (await stored(store, "busy"), await stored(store, "fine")) == (2, 1)


async def test_what_fails_again_and_again_is_named_and_the_rest_is_stored(
    client: FakeClient, store: AerospikeProfiles
) -> None:
    client.fail("lost", [UNAVAILABLE] * 3)
    lost = [tag(1, cookie="lost"), tag(2, cookie="lost")]

    with pytest.raises(errors.PartialWrite, match=r"2 writes failed: .*code 11") as caught:
        await store.add([*lost, tag(3, cookie="fine")])

    assert [failure.write for failure in caught.value.failed] == lost
    assert not any(failure.permanent for failure in caught.value.failed)
    assert (await stored(store, "lost"), await stored(store, "fine")) == (0, 1)


async def test_a_record_that_is_too_big_fails_for_good_at_once(client: FakeClient, store: AerospikeProfiles) -> None:
    client.fail("big", [TOO_BIG])

    with pytest.raises(errors.PartialWrite, match="too big") as caught:
        await store.add([tag(1, cookie="big"), tag(2, cookie="fine")])

    assert [failure.permanent for failure in caught.value.failed] == [True]
    assert len(client.batches) == 1


async def test_the_longest_tags_need_a_larger_record_than_servers_allow_by_default() -> None:
    writes = [
        ProfileWrite("c", action, entry_key(number, None, 0, number), b"v" * 4_200)
        for number in range(KEPT)
        for action in ("VIEW", "BUY")
    ]
    for size, fits in ((1024 * 1024, False), (2 * 1024 * 1024, True)):
        client = FakeClient(max_record_size=size)
        store = AerospikeProfiles(lambda client=client: client, "test", "profiles")  # type: ignore[misc]
        if fits:
            await store.add(writes)
        else:
            with pytest.raises(errors.PartialWrite):
                await store.add(writes)
        await store.close()


async def test_a_batch_is_bounded_and_holds_each_cookie_once(
    client: FakeClient, store: AerospikeProfiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aerospike_profiles, "COOKIES_A_BATCH", 10)
    await store.add([tag(number, cookie=f"c{number % 25}") for number in range(100)])
    assert [len(batch) for batch in client.batches] == [10, 10, 5]

    client.batches.clear()
    monkeypatch.setattr(aerospike_profiles, "BYTES_A_BATCH", 1_000)
    await store.add([tag(number, cookie=f"d{number}", value=b"v" * 600) for number in range(6)])
    assert [len(batch) for batch in client.batches] == [2, 2, 2]


async def test_a_cluster_that_is_away_is_said_to_be(client: FakeClient, store: AerospikeProfiles) -> None:
    await store.add([tag(1)])
    client.away = True

    for call in (store.add([tag(2)]), store.read("c", 0, 9, 1), store.ping(), store.wipe()):
        with pytest.raises(errors.ProfileStoreUnavailable):
            await call
    client.away = False
    await store.ping()


async def test_a_process_may_start_before_its_cluster() -> None:
    attempts = []

    def connect() -> FakeClient:
        attempts.append(1)
        if len(attempts) < 3:
            raise exception.ClientError
        return FakeClient()

    store = AerospikeProfiles(connect, "test", "profiles")
    for _ in range(2):
        with pytest.raises(errors.ProfileStoreUnavailable):
            await store.ping()

    assert await store.read("c", 0, 9, 1) == Profile([], [])
    await store.ping()
    assert len(attempts) == 3
    await store.close()


def test_hosts_have_ports_or_the_default_one() -> None:
    assert profiles_factory.parse_hosts("a:3100, b") == [("a", 3100), ("b", 3000)]


@pytest.mark.parametrize("text", ["", ":3000", "a,,b", "a:port"])
def test_other_hosts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"host:port|invalid literal"):
        profiles_factory.parse_hosts(text)
