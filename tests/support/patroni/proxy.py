"""The HAProxy before PostgreSQL, by the image's postgres.cfg."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from devstack import paths, ports, processes, servers
from tests.support import programs

CONFIG: Final = paths.SERVICES / "haproxy" / "postgres.cfg"


class Behind(Protocol):
    """A member, as the proxy sees it: PostgreSQL on one port, Patroni's REST interface on the other."""

    @property
    def name(self) -> str: ...

    @property
    def port(self) -> int: ...

    @property
    def api_port(self) -> int: ...


class Proxy(servers.Server):
    """`primary` and `replicas` are the ports that stand for 5000 and 5001. With `nameserver`, a port of DNS, members
    are found by their names while it runs, as in the stack; without, it is told their addresses."""

    def __init__(self, state: Path, members: Sequence[Behind], nameserver: int | None = None) -> None:
        super().__init__("proxy", state / "proxy.log")
        self.primary, self.replicas, self._probes = ports.reserve(), ports.reserve(), ports.reserve()
        self._members, self._nameserver = members, nameserver
        self._config = state / "postgres.cfg"

    def command(self) -> processes.Command:
        (program,) = programs.require("haproxy")
        self._config.write_text(self._configuration())
        return processes.Command(self.name, [program, "-W", "-db", "-f", str(self._config)], self.log)

    def answers(self) -> bool:
        return all(map(ports.answers, (self.primary, self.replicas, self._probes)))

    def _configuration(self) -> str:
        """The real one with what differs on loopback; each replacement must find what it replaces, as often as told."""
        text = CONFIG.read_text("utf-8")
        replaced = [
            ("bind :5000", f"bind {ports.HOST}:{self.primary}", 1),
            ("bind :5001", f"bind {ports.HOST}:{self.replicas}", 1),
            ("bind :8404", f"bind {ports.HOST}:{self._probes}", 1),
            ("maxconn 2000", "maxconn 200", 1),  # a connection takes two descriptors, and a laptop's limit may be low
        ]
        if self._nameserver is not None:
            replaced.append(("nameserver dns 127.0.0.11:53", f"nameserver dns {ports.HOST}:{self._nameserver}", 1))
        for member in self._members:
            address = self._address(member)
            replaced.append((f"{member.name} {member.name}:5432", f"{member.name} {address}", 2))
            number = member.name.removeprefix("patroni")
            replaced.append((f"primary{number} {member.name}:5432", f"primary{number} {address}", 1))
        for old, new, times in replaced:
            assert len(re.findall(rf"{re.escape(old)}\b", text)) == times, old
            text = text.replace(old, new)
        return text

    def _address(self, member: Behind) -> str:
        if self._nameserver is None:
            return f"{ports.HOST}:{member.port} port {member.api_port} init-addr last,libc,none"
        return f"{member.name}:{member.port} port {member.api_port}"
