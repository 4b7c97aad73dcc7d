"""One seed from its beginning to the oracle's word."""

import asyncio
import traceback
from typing import Final

import msgspec

from tests.simulation import faults
from tests.simulation.scheduler import NothingLeft
from tests.simulation.world import World

_LONGEST_FAULTS_S: Final = 10.0
_DEADLINE_S: Final = 240.0
"""Virtual seconds from the end of the faults until all must be counted: every timeout there is, twice."""
_LOOK_S: Final = 0.2
_TRICKLE: Final = 0.1
"""How likely an event arrives meanwhile, where a worker notices only with its next write what a failover took."""
_QUIET_S: Final = faults.LONGEST_S + 3.0
"""For what is late on its way to a server when all is counted, and for the work that it makes there."""
_BATCH: Final = 6


class Result(msgspec.Struct, frozen=True):
    """`complaints` is empty where every record was counted exactly once."""

    seed: int
    complaints: list[str]
    trace: list[str]
    events: int
    steps: int
    virtual_s: float


_current: list[World] = []


def current() -> World | None:
    """The world that runs now."""
    return _current[-1] if _current else None


def run(seed: int) -> Result:
    """Run it. Needs a process that sets PYTHONHASHSEED, for the same order each time (see __main__)."""
    world = World(seed)
    _current[:] = [world]
    with world.entered():
        try:
            asyncio.set_event_loop(world.loop)
            world.loop.run_until_complete(_run(world))
            found = world.complaints
        except NothingLeft:
            found = ["a hang: nothing is ready and nothing is due", *world.strange]
        except TimeoutError:
            hang = f"a hang: not all is counted {_DEADLINE_S:.0f} s after the last fault: {_state(world)}"
            found = [hang, *world.strange]
        except Exception:
            found = [traceback.format_exc(), *world.strange]
    return Result(seed, found, world.trace, len(world.feed.events), world.loop.steps, world.loop.time())


async def _run(world: World) -> None:
    injected = faults.Faults(world)
    world.supervise()
    for _ in range(world.random.randint(0, 10)):
        world.feed.append(_BATCH)
    injected.begin()
    until = world.loop.time() + world.random.uniform(1.0, _LONGEST_FAULTS_S)
    while world.loop.time() < until:
        world.feed.append(_BATCH)
        await asyncio.sleep(world.random.expovariate(4))
    injected.end()
    world.supervise()
    await _all_counted(world)
    if world.compares:
        world.storage.fail_over(world.random.randint(1, 2))
        world.note_lost()
        await _all_counted(world)
    world.note("all is counted")
    await asyncio.sleep(_QUIET_S)  # for whoever still believes that something is theirs to count


async def _all_counted(world: World) -> None:
    async with asyncio.timeout(_DEADLINE_S):
        while not world.done:
            await asyncio.sleep(_LOOK_S)
            if world.waits_for_traffic and world.random.random() < _TRICKLE:
                world.feed.append(1)


def _state(world: World) -> str:
    ends = {number: each.end for number, each in enumerate(world.feed.partitions)}
    return f"the log ends at {ends}, stored is " + ", ".join(f"{crew.group} {crew.stored}" for crew in world.crews)
