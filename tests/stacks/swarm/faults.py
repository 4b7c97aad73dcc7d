"""Faults under traffic: how long until events are counted again, and whether all is right afterwards."""

import time
from dataclasses import asdict
from typing import Any

from tests.stacks.swarm import inside, stage, waiting
from tests.stacks.swarm.cluster import Container
from tests.stacks.swarm.deployment import STATEFUL, STATELESS

Figures = dict[str, Any]

_WITHOUT_EDGE = 3  # a machine with a Kafka, an etcd, workers and a manager; the test's clients know one edge
_WITH_EDGE = 2  # the other edge, that the clients do not know, a proxy and a gateway
_PATRONI_PORT = 8008


def kill_kafka(on: stage.Stage) -> Figures:
    """One of three brokers, the one that leads whatever it leads."""
    [container] = on.cluster.containers(f"{STATEFUL}_kafka1")
    return _killed(on, container)


def kill_primary(on: stage.Stage) -> Figures:
    """The PostgreSQL that is primary, with its Patroni; back before its lease has ended, it may stay primary."""
    before = primary(on)
    figures = _killed(on, before)
    now = primary(on)
    return {"primary_before": before.service, "primary_after": now.service, **figures}


def lose_machine(on: stage.Stage) -> Figures:
    """A whole machine at once, with all that it has but the edge, and its return after a while."""
    return _lost(on, _WITHOUT_EDGE)


def lose_primary(on: stage.Stage) -> Figures:
    """The machine of the PostgreSQL that is primary: another one takes over, and stays it when the first is back."""
    before = primary(on)
    figures = _lost(on, before.machine)
    after = primary(on)
    assert after.service != before.service, f"{before.service} is primary still: nothing was taken over"
    return {"primary_before": before.service, "primary_after": after.service, **figures}


def lose_edge(on: stage.Stage) -> Figures:
    """A machine with an edge stays away: a deployment of the edge ends with the one that is left. With the machine the
    other one comes back, as the deployment has it."""
    before = {each.id for each in _edges(on)}
    on.machines.lose(_WITH_EDGE)
    waiting.until("the managers miss it", lambda: on.cluster.ready_nodes() == stage.COUNT - 1, 60)
    on.deployed.settings(EDGE_CONNECTIONS_PER_SOURCE="400")
    start = time.monotonic()
    on.deployed.deploy("2.stateless", "cores.yaml", only="edge", seconds=240)
    deployed = time.monotonic() - start
    [left] = _edges(on)
    assert left.id not in before, "the edge that is left was not replaced"
    counted = on.probe.counted(60)
    on.machines.back(_WITH_EDGE)
    back = time.monotonic()
    waiting.until("it has its edge again", lambda: len(_edges(on)) == len(before), 120)
    on.cluster.wait_whole(240)
    assert not before & {each.id for each in _edges(on)}, "an edge of before is there"
    return {
        "deployed_seconds": round(deployed, 1),
        "counted_seconds": round(counted, 1),
        "whole_after_return_seconds": round(time.monotonic() - back, 1),
    }


def _edges(on: stage.Stage) -> list[Container]:
    return on.cluster.containers(f"{STATELESS}_edge")


def _lost(on: stage.Stage, machine: int) -> Figures:
    with on.traffic.running(150, tolerant=True) as run:
        on.machines.lose(machine)
        start = time.monotonic()
        counted = on.probe.counted(120)
        waiting.until("the managers miss it", lambda: on.cluster.ready_nodes() == stage.COUNT - 1, 60)
        missed = time.monotonic() - start
        on.machines.back(machine)
        back = time.monotonic()
        on.cluster.wait_whole(240)
        whole = time.monotonic() - back
        again = on.probe.counted(60)
        figures = asdict(run.wait(150 + 150))
    return {
        "counted_again_seconds": round(counted, 1),
        "missed_seconds": round(missed, 1),
        "whole_after_return_seconds": round(whole, 1),
        "counted_after_return_seconds": round(again, 1),
        **figures,
    }


def primary(on: stage.Stage) -> Container:
    """The Patroni container that says it is primary. Raises waiting.Late."""
    found: list[Container] = []

    def one() -> bool:
        found[:] = [each for each in on.cluster.containers(f"{STATEFUL}_patroni") if _is_primary(each)]
        return len(found) == 1

    waiting.until("one PostgreSQL is primary", one, 90, lambda: [each.service for each in found])
    return found[0]


def _killed(on: stage.Stage, container: Container) -> Figures:
    with on.traffic.running(90, tolerant=True) as run:
        on.cluster.kill(container)
        start = time.monotonic()
        acknowledged = on.probe.answers(90)
        counted = acknowledged + on.probe.counted(90)
        # The one that was killed counts as running until Swarm has noticed.
        waiting.until("the killed one is missed", lambda: container.id not in _ids(on), 30)
        on.cluster.wait_whole(120)
        whole = time.monotonic() - start
        figures = asdict(run.wait(90 + 150))
    return {
        "acknowledged_again_seconds": round(acknowledged, 1),
        "counted_again_seconds": round(counted, 1),
        "whole_seconds": round(whole, 1),
        **figures,
    }


def _ids(on: stage.Stage) -> set[str]:
    return {each.id for each in on.cluster.containers(STATEFUL)}


def _is_primary(container: Container) -> bool:
    try:
        inside.get(container.pid, _PATRONI_PORT, "/primary")
    except OSError:  # it is away, has just ended, or is a standby
        return False
    return True
