"""What `PostgresHours` must do on every server: a mixin, inherited by the real one and by the one in memory."""

import asyncio
from collections.abc import Collection
from typing import Protocol

import pytest

from pipeline import hours, letters
from stores import errors
from tests.contract.flushes import HOUR


class Place(Protocol):
    """A server with a table for no hour."""

    def keeper(self) -> hours.PostgresHours: ...

    async def made(self) -> set[int]:
        """The hours that have a table."""

    async def drop(self, hour: int) -> None:
        """Leave a tombstone."""

    async def leave(self) -> None:
        """The server is away from now on."""


class HoursContract:
    """Inherit it and give a fixture `place`."""

    async def test_hours_are_made_on_demand(self, place: Place) -> None:
        assert await place.keeper().ensure({HOUR, HOUR + 1}) == {}
        assert await place.made() == {HOUR, HOUR + 1}

    async def test_hours_that_are_there_stay(self, place: Place) -> None:
        await place.keeper().ensure({HOUR})
        assert await place.keeper().ensure({HOUR, HOUR + 1}) == {}
        assert await place.made() == {HOUR, HOUR + 1}

    async def test_a_dropped_hour_is_refused_and_stays_gone(self, place: Place) -> None:
        await place.drop(HOUR)
        assert await place.keeper().ensure({HOUR, HOUR + 1}) == {HOUR: letters.HOUR_GONE}
        assert await place.made() == {HOUR + 1}

    async def test_those_who_ask_at_once_take_turns(self, place: Place) -> None:
        wanted: list[Collection[int]] = [{HOUR, HOUR + 1}, {HOUR + 1, HOUR + 2}, {HOUR}]
        assert await asyncio.gather(*(place.keeper().ensure(each) for each in wanted)) == [{}] * 3
        assert await place.made() == {HOUR, HOUR + 1, HOUR + 2}

    @pytest.mark.parametrize("wild", [-26_280_000, 175_200_000, 3_504_000_000, (2**63 - 1) // 3_600_000])
    async def test_hours_outside_the_years_1_to_9999_are_refused_and_the_others_made(
        self, place: Place, wild: int
    ) -> None:
        assert await place.keeper().ensure({wild, HOUR}) == {wild: letters.HOUR_IMPOSSIBLE}
        assert await place.made() == {HOUR}

    async def test_the_first_hour_that_can_be_is_made_and_the_last_lies_too_far_ahead(self, place: Place) -> None:
        assert await place.keeper().ensure({-17_259_888, 70_389_527}) == {70_389_527: letters.HOUR_IMPOSSIBLE}
        assert await place.made() == {-17_259_888}

    async def test_a_server_that_is_away_is_worth_another_try(self, place: Place) -> None:
        await place.leave()
        with pytest.raises(errors.StoreUnavailable):
            await place.keeper().ensure({HOUR})
