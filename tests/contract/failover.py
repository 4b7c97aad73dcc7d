"""What every `Flushes` must do when another server takes over that never saw its last commits, or one is restored.

A mixin, inherited by the real server and by the one in memory (test_flushes.py).
"""

from typing import Protocol

import pytest

from stores import dead_letters, errors, flush
from tests.contract.flushes import Store, content, item
from tests.contract.flushes_in_trouble import MOVE, ONCE

LETTER = dead_letters.Letter(0, 4, None, b"", "undecodable", "why")


class Restorable(Store, Protocol):
    """A store that can go back to what it held."""

    async def keep(self) -> None:
        """Remember what is committed."""

    async def fail_over(self) -> None:
        """Everybody loses the connection; who connects again finds what was kept."""


class FailoverContract:
    """Inherit it and give a fixture `scene`."""

    async def test_what_the_older_state_lacks_is_gone_with_its_offsets_and_is_counted_again(
        self, scene: Restorable
    ) -> None:
        worker = scene.flushes()
        await worker.open({0: 0})
        await worker.write(content(MOVE))
        await scene.keep()
        await worker.write(content((0, 2, 4)))
        await worker.write(flush.Flush([], [], [flush.Move(0, 4, 5)], [LETTER]))

        await scene.fail_over()

        with pytest.raises(errors.StoreUnavailable):
            await worker.settled([0])
        assert await worker.settled([0]) == {0: 2}
        assert (await scene.sums(), await scene.letters()) == (ONCE, {})
        with pytest.raises(errors.OffsetMoved):
            await worker.write(content((0, 5, 6)))
        await worker.write(content((0, 2, 4)))
        assert await scene.sums() == {item(): (4, -10)}

    async def test_a_partition_that_the_older_state_does_not_know_is_taken_up_anew(self, scene: Restorable) -> None:
        await scene.keep()
        await scene.flushes().open({0: 5})
        await scene.fail_over()
        successor = scene.flushes()
        assert await successor.settled([0]) == {}
        assert await successor.open({0: 3}) == {0: 3}

    async def test_without_a_commit_behind_it_the_state_is_the_same(self, scene: Restorable) -> None:
        worker = scene.flushes()
        await worker.open({0: 0})
        await worker.write(content(MOVE))
        await scene.keep()
        await scene.fail_over()
        assert await scene.flushes().open({0: 9}) == {0: 2}
        assert await scene.sums() == ONCE
