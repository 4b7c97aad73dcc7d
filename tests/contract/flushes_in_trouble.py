"""What every `Flushes` must do when other transactions, the network or an administrator stand in its way.

A mixin, inherited by the real server and by the one in memory (test_flushes.py).
"""

import asyncio
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol

import pytest

from stores import errors, flush
from tests.contract.flushes import Store, content, item
from tests.support import eventually
from tests.support.proxy import Fault

MOVE = (0, 0, 2)
ONCE = {item(): (2, -5)}


class Older(Protocol):
    """A transaction that changed the stored offset of a partition and has not ended."""

    async def end(self, how: Literal["COMMIT", "ROLLBACK"]) -> None: ...


class Scene(Store, Protocol):
    """A store and what goes wrong with it. The names of queries are those in stores/sql."""

    a_while_s: float
    """What a message takes at most, mostly."""

    def worker(self) -> flush.Flushes:
        """One behind a network that fails to order; those of `flushes` have another."""

    def order(self, query: str, fault: Fault) -> None:
        """Once, at the next message of the worker with that query."""

    @property
    def struck(self) -> bool:
        """Whether that message was sent."""

    def thaw(self) -> None:
        """What was held up on its way goes on."""

    def older(self, partition: int, next_offset: int) -> AbstractAsyncContextManager[Older]: ...

    async def waiting(self) -> int:
        """How many transactions wait for another."""

    async def end_sessions(self) -> None:
        """An administrator ends every connection to the database."""


class TroubleContract:
    """Inherit it and give a fixture `scene`."""

    # -- row locks -----------------------------------------------------------------------------------------------------

    @pytest.mark.parametrize(("ending", "stored"), [("COMMIT", 2), ("ROLLBACK", 0)])
    async def test_what_is_settled_waits_for_an_older_transaction_on_the_row(
        self, scene: Scene, ending: Literal["COMMIT", "ROLLBACK"], stored: int
    ) -> None:
        """2.4: the old backend may still be committing."""
        one = scene.flushes()
        await one.open({0: 0})
        async with scene.older(0, 2) as older:
            settling = await _waits(scene, one.settled([0]))
            await older.end(ending)
            assert await settling == {0: stored}

    async def test_a_write_waits_for_an_older_transaction_and_is_refused_behind_its_commit(self, scene: Scene) -> None:
        one = scene.flushes()
        await one.open({0: 0})
        async with scene.older(0, 1) as older:
            writing = await _waits(scene, one.write(content(MOVE)))
            await older.end("COMMIT")
            with pytest.raises(errors.OffsetMoved):
                await writing
        assert await scene.sums() == {}

    async def test_a_write_waits_for_an_older_transaction_and_goes_through_behind_its_rollback(
        self, scene: Scene
    ) -> None:
        one = scene.flushes()
        await one.open({0: 0})
        async with scene.older(0, 1) as older:
            writing = await _waits(scene, one.write(content(MOVE)))
            await older.end("ROLLBACK")
            await writing
        assert await scene.sums() == ONCE

    @pytest.mark.parametrize(("ending", "stored"), [("COMMIT", 7), ("ROLLBACK", 3)])
    async def test_a_partition_that_two_take_up_at_once_begins_where_the_first_says(
        self, scene: Scene, ending: Literal["COMMIT", "ROLLBACK"], stored: int
    ) -> None:
        async with scene.older(5, 7) as older:
            opening = await _waits(scene, scene.flushes().open({5: 3}))
            await older.end(ending)
            assert await opening == {5: stored}

    async def test_rows_of_other_partitions_are_not_waited_for(self, scene: Scene) -> None:
        one = scene.flushes()
        await one.open({0: 0, 1: 0})
        async with scene.older(1, 9):
            await one.write(content(MOVE))
            assert await one.settled([0]) == {0: 2}

    async def test_the_second_of_two_writes_at_once_is_refused(self, scene: Scene) -> None:
        workers = [scene.flushes() for _ in range(3)]
        await workers[0].open({0: 0})
        results = await asyncio.gather(*(one.write(content(MOVE)) for one in workers), return_exceptions=True)
        assert [type(result) for result in results if result is not None] == [errors.OffsetMoved] * 2
        assert await scene.sums() == ONCE

    @pytest.mark.parametrize("query", ["advance_and_commit", "commit"])
    async def test_a_worker_that_stops_between_two_messages_holds_no_lock_that_its_successor_needs(
        self, scene: Scene, query: str
    ) -> None:
        """2.2: takeover is immediate, whatever the one before is in the middle of."""
        worker, successor = scene.worker(), scene.flushes()
        await worker.open({0: 0})
        scene.order(query, Fault.FREEZE)
        stopped = asyncio.create_task(_all_of_it(worker))
        await eventually.until(lambda: scene.struck or stopped.done())
        async with asyncio.timeout(eventually.SECONDS / 2):
            assert await successor.open({0: 0}) in ({0: 0}, {0: 2})
            await _write_if_at(successor, 0)
        scene.thaw()
        await stopped
        assert await scene.sums() == ONCE

    # -- commits of unknown outcome ------------------------------------------------------------------------------------

    async def test_a_commit_cut_off_before_the_server_got_it_is_unknown_and_settles_as_not_written(
        self, scene: Scene
    ) -> None:
        worker = scene.worker()
        await worker.open({0: 0})
        scene.order("advance_and_commit", Fault.CUT_BEFORE)
        with pytest.raises(errors.OutcomeUnknown):
            await worker.write(content(MOVE))
        assert await worker.settled([0]) == {0: 0}
        await worker.write(content(MOVE))
        assert await scene.sums() == ONCE

    async def test_a_commit_whose_answer_is_cut_off_is_unknown_and_settles_as_written(self, scene: Scene) -> None:
        worker = scene.worker()
        await worker.open({0: 0})
        scene.order("advance_and_commit", Fault.CUT_AFTER)
        with pytest.raises(errors.OutcomeUnknown):
            await worker.write(content(MOVE))
        await _settles(worker, {0: 2})
        assert await scene.sums() == ONCE

    async def test_a_commit_that_comes_through_late_is_found_by_the_next_write(self, scene: Scene) -> None:
        """2.4: what was settled as not written may be written all the same; the offsets tell."""
        worker = scene.worker()
        await worker.open({0: 0})
        scene.order("advance_and_commit", Fault.CUT_LATE)
        with pytest.raises(errors.OutcomeUnknown):
            await worker.write(content(MOVE))
        assert await worker.settled([0]) == {0: 0}
        scene.thaw()
        await _settles(worker, {0: 2})
        with pytest.raises(errors.OffsetMoved):
            await worker.write(content(MOVE))
        assert await scene.sums() == ONCE

    async def test_a_commit_that_comes_through_behind_the_next_write_does_nothing(self, scene: Scene) -> None:
        worker = scene.worker()
        await worker.open({0: 0})
        scene.order("advance_and_commit", Fault.CUT_LATE)
        with pytest.raises(errors.OutcomeUnknown):
            await worker.write(content(MOVE))
        await worker.write(content((0, 0, 3)))
        scene.thaw()
        await asyncio.sleep(scene.a_while_s)
        assert await worker.settled([0]) == {0: 3}
        assert await scene.sums() == ONCE

    # -- connections that end ------------------------------------------------------------------------------------------

    @pytest.mark.parametrize("query", ["begin", "copy_deltas"])
    @pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER])
    async def test_a_connection_lost_before_the_end_wrote_nothing(self, scene: Scene, query: str, fault: Fault) -> None:
        worker = scene.worker()
        await worker.open({0: 0})
        scene.order(query, fault)
        with pytest.raises(errors.StoreUnavailable):
            await worker.write(content(MOVE))
        await worker.write(content(MOVE))
        assert await scene.sums() == ONCE

    async def test_a_connection_lost_while_it_was_idle_is_made_anew(self, scene: Scene) -> None:
        worker = scene.worker()
        await worker.open({0: 0})
        await scene.end_sessions()
        with pytest.raises(errors.StoreUnavailable):
            await worker.write(content(MOVE))
        await worker.write(content(MOVE))
        assert await scene.sums() == ONCE

    async def test_a_session_ended_while_it_waits_for_a_row_is_away_or_of_unknown_outcome(self, scene: Scene) -> None:
        one, other = scene.flushes(), scene.flushes()
        await one.open({0: 0})
        async with scene.older(0, 2):
            settling = await _waits(scene, one.settled([0]))
            writing = await _waits(scene, other.write(content(MOVE)))
            await scene.end_sessions()
            with pytest.raises(errors.StoreUnavailable):
                await settling
            with pytest.raises(errors.OutcomeUnknown):
                await writing
        assert await other.settled([0]) == {0: 0}

    # -- calls that are cancelled --------------------------------------------------------------------------------------

    async def test_a_question_cancelled_while_it_waits_for_a_row_can_be_asked_again(self, scene: Scene) -> None:
        one = scene.flushes()
        await one.open({0: 0})
        async with scene.older(0, 2) as older:
            await _cancelled(await _waits(scene, one.settled([0])))
            await _cancelled(await _waits(scene, one.settled([0])))
            await older.end("COMMIT")
            assert await one.settled([0]) == {0: 2}

    async def test_a_write_cancelled_while_it_waits_for_a_row_is_not_made(self, scene: Scene) -> None:
        one = scene.flushes()
        await one.open({0: 0})
        async with scene.older(0, 2) as older:
            await _cancelled(await _waits(scene, one.write(content(MOVE))))
            await older.end("ROLLBACK")
        assert await one.settled([0]) == {0: 0}
        await one.write(content(MOVE))
        assert await scene.sums() == ONCE

    @pytest.mark.parametrize("turns", range(0, 40, 3))
    async def test_a_write_cancelled_at_any_moment_is_made_as_a_whole_or_not_at_all(
        self, scene: Scene, turns: int
    ) -> None:
        one = scene.flushes()
        await one.open({0: 0})
        writing = asyncio.create_task(one.write(content(MOVE)))
        for _ in range(turns):
            await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait([writing])
        await _write_if_at(one, 0)
        assert await one.settled([0]) == {0: 2}
        assert await scene.sums() == ONCE


async def _waits(scene: Scene, call: Awaitable[Any]) -> asyncio.Task[Any]:
    """The call as a task that waits for another transaction by now."""
    before = await scene.waiting()
    task = asyncio.ensure_future(call)
    assert isinstance(task, asyncio.Task)
    async with asyncio.timeout(eventually.SECONDS):
        while await scene.waiting() <= before:
            assert not task.done()
            await asyncio.sleep(scene.a_while_s)
    return task


async def _cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _all_of_it(worker: flush.Flushes) -> None:
    """Every kind of call once, a write of what is not written yet."""
    await worker.settled([0])
    await worker.open({0: 0})
    await _write_if_at(worker, 0)


async def _write_if_at(worker: flush.Flushes, start: int) -> None:
    if await worker.settled([0]) == {0: start}:
        try:
            await worker.write(content((0, start, start + 2)))
        except errors.OffsetMoved:
            return


async def _settles(worker: flush.Flushes, stored: dict[int, int]) -> None:
    async with asyncio.timeout(eventually.SECONDS):
        while await worker.settled([0]) != stored:
            pass
