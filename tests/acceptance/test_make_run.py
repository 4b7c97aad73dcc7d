"""`make run`: up, used by its own examples, ill-treated in every process, down, and up again with its data."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest

from devstack import layout, ports, waiting
from tests.support import services, shoppers
from tests.support import system as systems
from tests.support.shoppers import Shopper
from tests.support.system import System


@pytest.fixture(scope="module")
def system() -> Iterator[System]:
    """A system for this file's tests, each of which leaves it running."""
    with systems.running() as system:
        yield system


def test_what_it_says_to_try_works(system: System) -> None:
    if shutil.which("curl") is None:
        services.missing("curl")
    post, read_profile, read_aggregates = examples(system)

    assert "204NoContent" in curl(post)

    assert waiting.until(lambda: '"origin":"NEWS"' in curl(read_profile), shoppers.VISIBLE_SECONDS)
    assert waiting.until(lambda: '"BUY","1","100"' in curl(read_aggregates), shoppers.VISIBLE_SECONDS)


def test_a_second_runner_and_clean_state_are_refused_while_it_runs(system: System) -> None:
    for command in ("run", "clean-state"):
        refused = system.command("devstack", command)

        assert refused.returncode == 1
        assert "already runs" in refused.stderr
    assert is_ready(system)


def test_every_process_that_is_killed_is_started_again_and_nothing_is_lost_or_doubled(system: System) -> None:
    shopper = Shopper(system.url)

    for name in system.names:
        see_restarted_after_kill(system, name)
        shopper.buy()
        shopper.find_everything()


def test_it_stops_in_order_and_a_second_start_resumes_with_the_data(system: System) -> None:
    shopper = Shopper(system.url)
    shopper.buy()

    system.stop()
    assert system.status == 0
    assert stopped_in_order(system) == ["gateway", "pipeline", "kafka", "postgres"]
    assert [name for name in system.names if system.pid(name)] == []
    assert all(ports.is_free(place.port) for place in layout.applications(system.settings))
    began = time.monotonic()
    system.start()
    system.wait_ready()

    assert time.monotonic() - began < 30
    shopper.find_everything()


def test_a_killed_runner_leaves_nothing_that_the_next_one_cannot_clear_away(system: System) -> None:
    shopper = Shopper(system.url)
    shopper.buy()
    left = {name: system.pid(name) for name in system.names}
    for pid in left.values():
        os.kill(pid or 0, signal.SIGSTOP)  # so that they do not end by themselves when their parent does

    system.kill_runner()
    system.start()
    system.wait_ready()

    assert "left over from a run that was killed; ending it" in system.said()
    assert all(system.pid(name) not in (None, pid) for name, pid in left.items())
    shopper.find_everything()


def test_everything_killed_at_once_comes_back_with_all_that_was_acknowledged(system: System) -> None:
    shopper = Shopper(system.url)
    for _ in range(20):
        shopper.buy()
    pids = [system.pid(name) for name in system.names]

    system.kill_runner()
    for pid in filter(None, pids):
        with suppress(ProcessLookupError):  # the kernel may have been quicker
            os.kill(pid, signal.SIGKILL)
    system.start()
    system.wait_ready()

    shopper.find_everything()


def test_clean_state_forgets_everything(system: System) -> None:
    shopper = Shopper(system.url)
    shopper.buy()
    system.stop()

    assert system.command("devstack", "clean-state").returncode == 0
    assert not system.state.root.exists()
    system.start()
    system.wait_ready()

    assert shopper.buys() == []
    assert shopper.totals() == (0, 0)


def see_restarted_after_kill(system: System, name: str) -> None:
    killed = system.pid(name)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)

    assert waiting.until(lambda: system.pid(name) not in (None, killed), 30), system.said()
    assert f"{name}: ended by signal 9 (Killed); starting again" in system.said()
    assert waiting.until(lambda: is_ready(system), 60), system.said()


def stopped_in_order(system: System) -> list[str]:
    """What the runner said that it stopped, the first of each group."""
    lines = [line.split("stopping ")[1] for line in system.said().splitlines() if "stopping " in line]
    return [line.split("-")[0] for line in lines]


def is_ready(system: System) -> bool:
    """True if every one of our processes says that it is ready."""
    return all(is_ready_on(place.port) for place in layout.applications(system.settings))


def is_ready_on(port: int) -> bool:
    try:
        return httpx.get(f"http://{ports.HOST}:{port}/readyz", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def examples(system: System) -> list[str]:
    """The commands that the runner printed for a person to try."""
    return [line.strip() for line in system.said().splitlines() if line.startswith("  curl ")]


def curl(line: str) -> str:
    done = subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.replace(" ", "")
