"""What `PostgresLetters` must do on every server: a mixin, inherited by the real one and by the one in memory."""

import asyncio
from typing import Protocol

import pytest

from pipeline.letters import PostgresLetters
from stores import errors
from stores.dead_letters import Letter


class Place(Protocol):
    """A server without letters."""

    def letters(self, group: str = "profiles") -> PostgresLetters:
        """A worker's own."""

    async def stored(self) -> list[tuple[str, int]]:
        """(group, offset) of every letter, sorted."""

    async def leave(self) -> None:
        """The server is away from now on."""


def broken(*at: int) -> list[Letter]:
    return [Letter(0, offset, None, b"junk", "undecodable", "why") for offset in at]


class LettersContract:
    """Inherit it and give a fixture `place`."""

    async def test_another_worker_of_the_group_sees_how_many_lie_in_a_row_below_an_offset(self, place: Place) -> None:
        await place.letters().write(broken(1, 3, 4, 5))
        await place.letters().write(broken(5))
        await place.letters("aggregates").write(broken(2))
        again = place.letters()
        assert await again.runs({0: 6, 1: 6}, 10) == {0: 3, 1: 0}
        assert await again.runs({0: 6}, 2) == {0: 2}

    async def test_a_letter_that_is_kept_already_stays_and_is_kept_once(self, place: Place) -> None:
        await asyncio.gather(*(place.letters().write(broken(*at)) for at in ([1, 2, 3], [3, 4], [2, 3])))
        await place.letters().write(broken(4, 5))
        assert await place.stored() == [("profiles", offset) for offset in range(1, 6)]

    async def test_groups_have_letters_of_their_own(self, place: Place) -> None:
        await place.letters("aggregates").write(broken(1))
        await place.letters("profiles").write(broken(1))
        assert await place.stored() == [("aggregates", 1), ("profiles", 1)]

    async def test_a_server_that_is_away_is_one_to_ask_again(self, place: Place) -> None:
        await place.leave()
        with pytest.raises(errors.StoreUnavailable):
            await place.letters().write(broken(1))
        with pytest.raises(errors.StoreUnavailable):
            await place.letters().runs({0: 6}, 10)
