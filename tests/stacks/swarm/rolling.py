"""A new release of the databases: one member after the other, and never two of a kind away at once."""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from tests.stacks.swarm import images, stage
from tests.stacks.swarm.deployment import STATEFUL

KINDS = {"kafka": 3, "etcd": 3, "patroni": 3, "postgres-proxy": 2}  # how many there are of each
_MEMBER = re.compile(rf"{STATEFUL}_([a-z-]+)\d?$")
_SECONDS = 720
_LEAST_LOOKS = 50  # one in ten seconds at least; a member is away for longer


class Watch:
    """Looks again and again at how many healthy members of each kind there are; `healthy` names their services."""

    def __init__(self, healthy: Callable[[], Iterable[str]]) -> None:
        self._healthy = healthy
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.least = dict(KINDS)
        self.looks = 0
        self.failures: list[str] = []

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(30)

    @property
    def fewest(self) -> dict[str, str]:
        """Healthy ones at the worst moment, by kind."""
        return {name: f"{self.least[name]} of {count}" for name, count in KINDS.items()}

    def complaints(self) -> list[str]:
        """Two away at once; or too little seen to say that there never were."""
        found = list(self.failures)
        if self.looks < _LEAST_LOOKS:
            found.append(f"{self.looks} looks are too few")
        for name, count in KINDS.items():
            if self.least[name] < count - 1:
                found.append(f"{name}: at once away, {self.fewest[name]} were left")
            if self.least[name] == count:
                found.append(f"{name}: nobody was seen away, though each was replaced")
        return found

    def _look(self) -> None:
        while not self._ended.is_set():
            try:
                there = Counter(map(kind, self._healthy()))
            except Exception as failure:  # whatever it is: a thread that ends unheard would have seen nothing amiss
                self.failures.append(f"the watch ended: {failure!r}")
                return
            self.looks += 1
            for name, least in self.least.items():
                self.least[name] = min(least, there[name])


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
        with Watch(lambda: _healthy(on)) as watch:
            on.deployed.deploy("1.stateful", "hurry.yaml", seconds=_SECONDS)
        seconds = time.monotonic() - start
        figures = asdict(run.wait(240 + 150))
    after = on.cluster.containers(STATEFUL)
    assert not before & {each.id for each in after}, "a member was not replaced"
    services = {each.service for each in after}
    assert all(on.cluster.image(each).split("@")[0].endswith(f":{release}") for each in services)
    assert not watch.complaints(), watch.complaints()
    on.cluster.wait_whole(60)
    return {
        "members": len(after),
        "rolled_seconds": round(seconds, 1),
        "looks": watch.looks,
        "fewest_healthy": watch.fewest,
        "counted_seconds": round(on.probe.counted(60), 1),
        **figures,
    }


def _healthy(on: stage.Stage) -> list[str]:
    return [each.service for each in on.cluster.containers(STATEFUL) if each.health == "healthy"]
