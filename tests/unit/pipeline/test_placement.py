"""Taking up partitions ends, or ends the process; while a store is away it waits beside."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from pipeline import placement
from tests.support import eventually

SHORT_S = 0.2


class Place:
    """A place to be found when `found` is set."""

    def __init__(self) -> None:
        self.found = asyncio.Event()
        self.failure: Exception | None = None
        self.away = False
        self.begun, self.placed = 0, 0
        self.failures: list[Exception] = []

    async def take_up(self) -> None:
        self.begun += 1
        await self.found.wait()
        if self.failure is not None:
            raise self.failure
        self.placed += 1


@pytest.fixture
async def place() -> Place:
    return Place()


@pytest.fixture(params=[60.0])
async def placing(place: Place, request: pytest.FixtureRequest) -> AsyncIterator[placement.Placement]:
    made = placement.Placement(place.take_up, lambda: place.away, place.failures.append, request.param)
    yield made
    made.give_up()


impatient = pytest.mark.parametrize("placing", [SHORT_S], indirect=True)


async def test_it_is_waited_for(place: Place, placing: placement.Placement) -> None:
    place.found.set()
    placing.begin()
    assert await placing.wait()
    assert place.placed == 1


@impatient
async def test_one_that_stands_still_while_nobody_is_away_fails(place: Place, placing: placement.Placement) -> None:
    placing.begin()
    with pytest.raises(TimeoutError, match="nobody was away"):
        await placing.wait()
    assert len(place.failures) == 1


async def test_one_that_fails_beside_ends_the_process_as_well(place: Place, placing: placement.Placement) -> None:
    place.away, place.failure = True, ValueError("a defect")
    placing.begin()
    assert not await placing.wait()
    place.found.set()
    await eventually.until(lambda: place.failures == [place.failure])


@impatient
async def test_it_goes_on_for_as_long_as_somebody_is_away(place: Place, placing: placement.Placement) -> None:
    place.away = True
    placing.begin()
    assert not await placing.wait()
    await asyncio.sleep(2 * SHORT_S)
    place.found.set()
    await eventually.until(lambda: place.placed == 1)
    assert place.failures == []


async def test_the_next_one_takes_its_place(place: Place, placing: placement.Placement) -> None:
    placing.begin()
    first = asyncio.create_task(placing.wait())
    await eventually.until(lambda: place.begun == 1)
    placing.begin()
    place.found.set()
    with pytest.raises(placement.GivenUp):
        await first
    assert await placing.wait()
    assert (place.begun, place.placed, place.failures) == (2, 1, [])


async def test_one_that_is_given_up_places_nothing(place: Place, placing: placement.Placement) -> None:
    placing.begin()
    waiting = asyncio.create_task(placing.wait())
    await eventually.until(lambda: place.begun == 1)
    placing.give_up()
    place.found.set()
    with pytest.raises(placement.GivenUp):
        await waiting
    assert (place.placed, place.failures) == (0, [])
