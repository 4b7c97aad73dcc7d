"""A new release of the databases: one member after the other, and never two of a kind away at once."""

import re
import threading
import time
from collections import Counter
from dataclasses import asdict
from typing import Any

from tests.stacks.swarm import commands, images, stage
from tests.stacks.swarm.deployment import STATEFUL

_KINDS = {"kafka": 3, "etcd": 3, "patroni": 3, "postgres-proxy": 2}
_MEMBER = re.compile(rf"{STATEFUL}_([a-z-]+)\d?$")
_SECONDS = 720


class Watch:
    """Looks again and again at how many healthy members of each kind there are."""

    def __init__(self, on: stage.Stage) -> None:
        self._on = on
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.least = dict(_KINDS)
        self.looks = 0
        self.failures: list[str] = []

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(30)

    def _look(self) -> None:
        while not self._ended.is_set():
            try:
                there = Counter(kind(each.service) for each in self._healthy())
            except commands.Failed as failure:
                self.failures.append(str(failure))
                continue
            self.looks += 1
            for name, least in self.least.items():
                self.least[name] = min(least, there[name])

    def _healthy(self) -> list[Any]:
        return [each for each in self._on.cluster.containers(STATEFUL) if each.health == "healthy"]


def kind(service: str) -> str:
    """`kafka` of `allezone-stateful_kafka2`."""
    matched = _MEMBER.match(service)
    assert matched is not None, service
    return matched[1]


def roll(on: stage.Stage) -> dict[str, Any]:
    """Deploys the databases as another release, under traffic."""
    release = f"{on.release}-next"
    images.build(release, on.log, "kafka postgres etcd haproxy")
    on.deployed.settings(STATEFUL_RELEASE=release)
    before = {each.id for each in on.cluster.containers(STATEFUL)}
    with on.traffic.running(240, tolerant=True) as run:
        start = time.monotonic()
        with Watch(on) as watch:
            on.deployed.deploy("1.stateful", "hurry.yaml", seconds=_SECONDS)
        seconds = time.monotonic() - start
        figures = asdict(run.wait(240 + 150))
    after = on.cluster.containers(STATEFUL)
    assert not before & {each.id for each in after}, "a member was not replaced"
    services = {each.service for each in after}
    assert all(on.cluster.image(each).split("@")[0].endswith(f":{release}") for each in services)
    assert not watch.failures, watch.failures
    fewest = {name: f"{watch.least[name]} of {count}" for name, count in _KINDS.items()}
    assert all(watch.least[name] >= count - 1 for name, count in _KINDS.items()), f"at once away: {fewest}"
    on.cluster.wait_whole(60)
    return {
        "members": len(after),
        "rolled_seconds": round(seconds, 1),
        "looks": watch.looks,
        "fewest_healthy": fewest,
        "counted_seconds": round(on.probe.counted(60), 1),
        **figures,
    }
