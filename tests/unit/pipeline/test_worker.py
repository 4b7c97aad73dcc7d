"""What watches over a worker: proof that its loop moves, readiness, tasks that must not end."""

import asyncio

import pytest

from pipeline import ending, worker
from tests.support import eventually


class Clock:
    """`time.monotonic`, set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("pipeline.worker.time.monotonic", lambda: self.now)


class Loop:
    """A consumer's loop that has returned from `fetches` fetches."""

    def __init__(self) -> None:
        self.fetches = 0
        self.excused = False
        self.movement = worker.Movement(lambda: self.fetches, lambda: self.excused, silent_s=45.0)

    async def look(self) -> None:
        looking = asyncio.create_task(self.movement.run())
        await asyncio.sleep(0)
        looking.cancel()


async def test_healthz_says_when_no_fetch_has_returned_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, loop = Clock(monkeypatch), Loop()
    await loop.look()
    clock.now += 60
    await loop.look()
    assert loop.movement.trouble() == "no fetch has returned for 60 s"


async def test_fetches_that_return_are_proof_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, loop = Clock(monkeypatch), Loop()
    for _ in range(5):
        clock.now += 30
        loop.fetches += 1
        await loop.look()
        assert loop.movement.trouble() is None


async def test_a_loop_that_nobody_looks_at_any_more_is_trouble_too(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, loop = Clock(monkeypatch), Loop()
    loop.fetches += 1
    await loop.look()
    loop.fetches += 1
    clock.now += 60
    assert loop.movement.trouble() is not None


async def test_a_store_that_is_away_excuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, loop = Clock(monkeypatch), Loop()
    loop.excused = True
    clock.now += 60
    await loop.look()
    assert loop.movement.trouble() is None


async def test_a_worker_is_ready_once_placed_and_stays_ready_while_its_store_is_away() -> None:
    placed, asking = False, False
    readiness = worker.Readiness("postgresql", lambda: placed, lambda: asking)
    looking = asyncio.create_task(readiness.run())
    await asyncio.sleep(0)
    assert not readiness.dependencies.ready
    placed = True
    await eventually.until(lambda: readiness.dependencies.ready)
    asking = True
    states = readiness.dependencies.report
    await eventually.until(lambda: states()["dependencies"]["postgresql"]["state"] == "down")
    assert states()["ready"]
    looking.cancel()


class App:
    """Faust's decorator for tasks."""

    def __init__(self) -> None:
        self.tasks: list[object] = []

    def task(self, function: object) -> object:
        self.tasks.append(function)
        return function


@pytest.mark.parametrize(("failure", "kind"), [(ValueError("defect"), ValueError), (None, RuntimeError)])
async def test_a_task_that_ends_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, failure: Exception | None, kind: type[Exception]
) -> None:
    ended: list[BaseException] = []
    monkeypatch.setattr(ending, "end_process", ended.append)

    async def run() -> None:
        if failure is not None:
            raise failure

    await worker.for_ever(run)
    assert [type(error) for error in ended] == [kind]


async def test_a_task_that_is_cancelled_by_a_shutdown_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "end_process", pytest.fail)
    app = App()
    worker.Tasks(app).add(lambda: asyncio.sleep(3600))
    [function] = app.tasks
    task: asyncio.Task[None] = asyncio.create_task(function())  # type: ignore[operator]
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


class Committer:
    """`commits.Committer` that has nothing to tell."""

    async def commit(self) -> None: ...


class Refusing:
    """A sink whose last write fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def write(self) -> None:
        raise self._error


async def test_a_last_write_that_fails_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that came out of it would leave the consumer's thread running, and its partitions taken."""
    ended: list[BaseException] = []
    monkeypatch.setattr(ending, "end_process", ended.append)
    failure = ValueError("defect")
    await worker.write_last(Refusing(failure), Committer())  # type: ignore[arg-type]
    assert ended == [failure]


async def test_a_last_write_that_takes_too_long_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "end_process", pytest.fail)
    await worker.write_last(Refusing(TimeoutError()), Committer())  # type: ignore[arg-type]
