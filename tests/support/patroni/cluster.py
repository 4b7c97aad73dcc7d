"""A cluster of members with the etcd that they agree in and the proxy before them."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from devstack import waiting
from tests.support import environments, programs, services
from tests.support.patroni.etcd import Etcd
from tests.support.patroni.member import API_USER, LOCKS, Member
from tests.support.patroni.proxy import Proxy

_PASSWORDS: Final = ("SUPERUSER_PASSWORD", "REPLICATION_PASSWORD", "REWIND_PASSWORD", "API_PASSWORD")


class Cluster:
    """`size` members out of patroni1, patroni2 and patroni3; `state` is a folder that goes with the cluster."""

    def __init__(self, state: Path, size: int) -> None:
        self.state = state
        self.etcd = Etcd(state)
        self.secrets = _make_secrets(state)
        names = [f"patroni{number}" for number in (1, 2, 3)]
        every = [Member(name, state, self.etcd.address, self.secrets) for name in names]
        self.members = every[:size]
        self.proxy = Proxy(state, every)  # its configuration names three, also where a test starts fewer

    def start(self, seconds: float) -> None:
        """Until one member is the primary and each other follows it."""
        for server in (self.etcd, self.proxy):
            if not server.running:
                server.start()
                server.wait_ready()
        for member in self.members:
            member.start()
        self.wait_whole(seconds)

    def wait_whole(self, seconds: float) -> Member:
        """Until one member is the primary and each other follows it; the primary."""
        self.wait(self._is_whole, seconds, "the cluster is not whole")
        return self.primary()

    def wait(self, condition: Any, seconds: float, what: str) -> None:
        """Until `condition()` holds; fails with `what` and the members' logs."""
        assert waiting.until(condition, seconds), f"{what} after {seconds:.0f} s\n{self.logs()}"

    def primary(self) -> Member:
        """The one member that says so. Fails when it is none, or more than one."""
        (found,) = [member for member in self.members if member.is_primary()]
        return found

    def replicas(self) -> list[Member]:
        return [member for member in self.members if member.is_replica()]

    def roles(self) -> dict[str, str]:
        """What the cluster says of its members: `leader`, `quorum_standby`, `replica`."""
        for member in self.members:
            status, text = member.ask("GET", "/cluster")
            if status == 200:
                return {each["name"]: each["role"] for each in json.loads(text)["members"] if _is_well(each)}
        return {}

    def credentials(self) -> dict[str, str]:
        """The header of who may change something by Patroni's interface."""
        pair = f"{API_USER}:{self.secrets['API_PASSWORD'].read_text()}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def logs(self) -> str:
        """The ends of all logs."""
        every: Sequence[Any] = [*self.members, self.proxy, self.etcd]
        texts = {each.name: each.log.read_text(errors="replace")[-3000:] for each in every if each.log.exists()}
        return "\n".join(f"--- {name}\n{text}" for name, text in texts.items())

    def lose(self) -> None:
        """Every member with its data, and what they had agreed in. The proxy stays: it has nothing to lose."""
        for member in self.members:
            member.kill()
            member.forget()
        self.etcd.kill()
        self.etcd.forget()

    def kill(self) -> None:
        """End all of it at once."""
        for each in (*self.members, self.proxy, self.etcd):
            each.kill()

    def _is_whole(self) -> bool:
        roles = self.roles()
        return sorted(roles) == [member.name for member in self.members] and "leader" in roles.values()


@contextmanager
def prepared(size: int) -> Iterator[Cluster]:
    """A cluster to be started; ended, and its folder removed, afterwards. Skips without etcd or HAProxy."""
    programs.require("etcd", "haproxy")
    with services.required(), services.folder("patroni") as state:
        state.chmod(0o755)  # the members' accounts go through it
        try:
            environments.ensure("patroni", LOCKS)
        except environments.Unavailable as reason:
            services.missing(f"Patroni: {reason}")
        cluster = Cluster(state, size)
        try:
            yield cluster
        finally:
            cluster.kill()


def _is_well(member: Mapping[str, Any]) -> bool:
    """As `/cluster` has it: a replica streams, a leader runs."""
    return bool(member["state"] == ("running" if member["role"] == "leader" else "streaming"))


def _make_secrets(state: Path) -> dict[str, Path]:
    found = {}
    for name in _PASSWORDS:
        found[name] = state / name
        # Letters that a configuration may stumble over.
        found[name].write_text(f"{secrets.token_hex(8)} 'is' \"odd\" # ${{x}}")
        found[name].chmod(0o644)
    return found
