"""The HAProxy before PostgreSQL, by the image's postgres.cfg."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from devstack import paths, ports, processes, servers
from tests.support import programs
from tests.support.patroni.member import Member

CONFIG: Final = paths.SERVICES / "haproxy" / "postgres.cfg"


class Proxy(servers.Server):
    """`primary` and `replicas` are the ports that stand for 5000 and 5001."""

    def __init__(self, state: Path, members: Sequence[Member]) -> None:
        super().__init__("proxy", state / "proxy.log")
        self.primary, self.replicas, self._probes = ports.reserve(), ports.reserve(), ports.reserve()
        self._members = members
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
        for member in self._members:
            address = f"{member.address} port {member.api_port} init-addr last,libc,none"
            replaced.append((f"{member.name} {member.name}:5432", f"{member.name} {address}", 2))
            number = member.name.removeprefix("patroni")
            replaced.append((f"primary{number} {member.name}:5432", f"primary{number} {address}", 1))
        for old, new, times in replaced:
            assert len(re.findall(rf"{re.escape(old)}\b", text)) == times, old
            text = text.replace(old, new)
        return text
