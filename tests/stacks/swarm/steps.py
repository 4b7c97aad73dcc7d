"""The steps in their order. Each gives its figures, and raises where what must hold does not."""

import re
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from tests.stacks.swarm import deployment, faults, images, machines, rolling, small, stage, waiting

Figures = dict[str, Any]
Step = Callable[[stage.Stage], Figures]
Play = Callable[[], Figures]

_GATEWAY = f"{deployment.STATELESS}_gateway"
# Ended, or made and never started, where their machine was lost meanwhile.
_JOB = re.compile(r"_(topics|roles|migrations|asked)\.[^:]*: (Exited|Created)")
_WORKERS = [f"{deployment.STATELESS}_{name}" for name in ("aggregates", "profiles")]


def start_machines(on: stage.Stage) -> Figures:
    on.machines.up()
    waiting.until("the managers see every machine", lambda: on.cluster.ready_nodes() == stage.COUNT, 60)
    return {"machines": stage.COUNT}


def make_images(on: stage.Stage) -> Figures:
    cached = (machines.CACHE / "standins").exists()
    images.make(on.release, on.log)
    return {"images": len(images.OURS.split()), "some_were_cached": cached}


def deploy(on: stage.Stage) -> Figures:
    """Labels, secrets and both stacks, until all are there and an event is counted."""
    on.deployed.prepare(on.release)
    start = time.monotonic()
    on.deployed.deploy("1.stateful", seconds=420)
    on.cluster.wait_whole(240, deployment.STATEFUL)
    databases = time.monotonic() - start
    on.deployed.deploy("2.stateless", "cores.yaml", seconds=420)
    on.cluster.wait_whole(240)
    whole = time.monotonic() - start
    on.probe.counted(60)
    counts = on.cluster.counts()
    return {
        "services": len(counts),
        "tasks": sum(count.there for count in counts.values()),
        "databases_seconds": round(databases, 1),
        "all_seconds": round(whole, 1),
        "counted_seconds": round(time.monotonic() - start, 1),
    }


def send(on: stage.Stage) -> Figures:
    """All 204, every answer right."""
    return asdict(on.traffic.for_(60, tolerant=False))


def update(on: stage.Stage) -> Figures:
    """Gateways and workers are replaced under traffic, and no event notices."""
    before = {container.id for container in on.cluster.containers(deployment.STATELESS)}
    with on.traffic.running(300, tolerant=False) as run:
        figures: Figures = {}
        for name, services in (("gateway", [_GATEWAY]), ("workers", _WORKERS)):
            start = time.monotonic()
            for service in services:
                on.machines.docker(1, "service", "update", "--detach", "--force", service)
            for service in services:
                _await_update(on, service, "completed", 200)
            figures[f"{name}_seconds"] = round(time.monotonic() - start, 1)
        assert run.sending, "the traffic ended before the updates did"
        figures |= asdict(run.wait(300 + 150))
    after = {container.id for container in on.cluster.containers(_GATEWAY)}
    for service in _WORKERS:
        after |= {container.id for container in on.cluster.containers(service)}
    assert after, "no gateway and no worker is there"
    assert not after & before, "a container was not replaced"
    return figures


def roll_back(on: stage.Stage) -> Figures:
    """A gateway that cannot start is taken back by the update itself, and no event notices."""
    image, good = on.broken_image(), on.cluster.image(_GATEWAY)
    with on.traffic.running(120, tolerant=False) as run:
        start = time.monotonic()
        on.machines.docker(1, "service", "update", "--detach", "--image", image, _GATEWAY)
        _await_update(on, _GATEWAY, "rollback_completed", 240)
        seconds = time.monotonic() - start
        assert on.cluster.image(_GATEWAY) == good, "the service is to have another image than before"
        figures = asdict(run.wait(120 + 150))
    on.cluster.wait_whole(30)
    return {"rolled_back_seconds": round(seconds, 1), **figures}


def remove(on: stage.Stage) -> Figures:
    """`docker stack rm`, until nothing of the stacks runs and no network of theirs is left on any machine.

    Swarm keeps the containers of jobs that do not run (moby issue 44312): these are removed here, as
    docs/operations/deployment.md says, and nothing else may have to be.
    """
    start = time.monotonic()
    on.deployed.remove()
    waiting.until("the stacks are gone", lambda: not _remains(on), 180, lambda: _remains(on))
    seconds = time.monotonic() - start
    jobs = sum(len(_listed(on, machine, "ps --all")) for machine in on.machines.there)
    for machine in on.machines.there:
        on.machines.docker(machine, "container", "prune", "--force")
        assert not _listed(on, machine, "ps --all"), f"a container is left on machine {machine}"
    return {"removed_seconds": round(seconds, 1), "containers_of_jobs": jobs}


def _remains(on: stage.Stage) -> list[str]:
    """What is there still, without the containers of jobs that do not run."""
    found = [f"service {name}" for name in on.cluster.counts()]
    for machine in on.machines.there:
        networks = _listed(on, machine, "network ls --filter name=allezone")
        containers = [each for each in _listed(on, machine, "ps --all") if not _JOB.search(each)]
        found += [f"on machine {machine}: {each}" for each in networks + containers]
    return found


def _listed(on: stage.Stage, machine: int, what: str) -> list[str]:
    """A line each."""
    form = "{{.Name}}" if what.startswith("network") else "{{.Names}}: {{.Status}}"
    return on.machines.docker(machine, *what.split(), "--format", form).splitlines()


def _await_update(on: stage.Stage, service: str, state: str, seconds: float) -> None:
    ends = {"completed", "paused", "rollback_paused", "rollback_completed"}
    waiting.until(
        f"the update of {service} ends",
        lambda: on.cluster.update_state(service) in ends,
        seconds,
        lambda: on.cluster.update_state(service),
    )
    ended = on.cluster.update_state(service)
    assert ended == state, f"the update of {service} is {ended}, not {state}"


ALL: dict[str, Step] = {
    "machines": start_machines,
    "images": make_images,
    "deploy": deploy,
    "traffic": send,
    "update": update,
    "rolling-databases": rolling.roll,
    "kafka-killed": faults.kill_kafka,
    "primary-killed": faults.kill_primary,
    "machine-lost": faults.lose_machine,
    "primary-lost": faults.lose_primary,
    "edge-lost": faults.lose_edge,
    "broken-image": roll_back,
    "removed": remove,
    "small": small.deploy,
}
