"""One member: configure.py of the image, which becomes Patroni, which runs the embedded PostgreSQL."""

from __future__ import annotations

import http.client
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL
from typing import Any, Final

import psycopg
from psycopg import conninfo

from devstack import paths, ports, postgres, processes, servers, unprivileged
from tests.support import environments

FOLDER: Final = paths.SERVICES / "postgres"
LOCKS: Final = (FOLDER / "requirements-build.lock", FOLDER / "requirements.lock")
SUPERUSER: Final = "postgres"
API_USER: Final = "patroni"
_ANSWER_SECONDS: Final = 3.0


class Member(servers.Server):
    """`state` holds its data and its sockets; `secrets` are files by the names that configure.py knows them under.

    `told` is more of its environment, for the next start.
    """

    stop_seconds = 30.0

    def __init__(self, name: str, state: Path, etcd: str, secrets: Mapping[str, Path]) -> None:
        super().__init__(name, state / f"{name}.log")
        self.port, self.api_port = ports.reserve(), ports.reserve()
        self.folder = state / name
        self.data = self.folder / "data"
        self._etcd, self._secrets = etcd, secrets
        self.told: dict[str, str] = {}

    @property
    def address(self) -> str:
        return f"{ports.HOST}:{self.port}"

    def password(self, kind: str = "SUPERUSER") -> str:
        return self._secrets[f"{kind}_PASSWORD"].read_text()

    def conninfo(self, **changed: str | int) -> str:
        """As the superuser, past any proxy."""
        place: dict[str, Any] = {"host": ports.HOST, "port": self.port, "dbname": "postgres", "connect_timeout": 5}
        return conninfo.make_conninfo(**{**place, "user": SUPERUSER, "password": self.password(), **changed})

    def connect(self, **changed: str | int) -> psycopg.Connection:
        return psycopg.connect(self.conninfo(**changed), autocommit=True)

    def command(self) -> processes.Command:
        programs = environments.ensure("patroni", LOCKS)
        for folder in (self.folder, self.folder / "run"):
            unprivileged.own(folder)
        prefix = unprivileged.prefix(self.folder, programs / "python", postgres.binaries() / "postgres", FOLDER)
        argv = [*prefix, str(programs / "python"), str(FOLDER / "configure.py"), str(programs / "patroni")]
        return processes.Command(self.name, argv, self.log, cwd=self.folder, env=self._environment(programs))

    def answers(self) -> bool:
        """Patroni lives; its PostgreSQL may still be on the way."""
        return self.ask("GET", "/liveness")[0] == http.client.OK

    def is_primary(self) -> bool:
        return self.ask("GET", "/primary")[0] == http.client.OK

    def is_replica(self) -> bool:
        """It streams from the primary, or is about to."""
        return self.ask("GET", "/replica")[0] == http.client.OK

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = _ANSWER_SECONDS,
    ) -> tuple[int, str]:
        """Patroni's REST interface; status 0 when nobody answers."""
        connection = http.client.HTTPConnection(ports.HOST, self.api_port, timeout=seconds)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), dict(headers or {}))
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

    def kill(self) -> None:
        """Patroni, PostgreSQL and all its processes at once, as when the machine goes."""
        server = self._postmaster()
        family = [*processes.children(server), server] if server else []
        super().kill()
        processes.signal_all(family, SIGKILL)

    def forget(self) -> None:
        """Its volume is gone."""
        shutil.rmtree(self.folder)

    def _postmaster(self) -> int | None:
        with suppress(OSError, ValueError, IndexError):  # there is none, or it is just being written
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            return pid if str(self.data) in processes.command_line(pid) else None
        return None

    def _environment(self, programs: Path) -> dict[str, str]:
        return {
            "PATH": f"{programs}:{postgres.binaries()}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "NODE_NAME": self.name,
            "ETCD_HOSTS": self._etcd,
            "POSTGRES_LISTEN": self.address,
            "POSTGRES_ADDRESS": self.address,
            "API_LISTEN": f"{ports.HOST}:{self.api_port}",
            "API_ADDRESS": f"{ports.HOST}:{self.api_port}",
            "DATA_DIR": str(self.data),
            "BIN_DIR": str(postgres.binaries()),
            "RUN_DIR": str(self.folder / "run"),
            "SHARED_BUFFERS": "32MB",
            "SPOOL_DIR": str(self.folder / "spool"),
            **{f"{name}_FILE": str(path) for name, path in self._secrets.items()},
            **self.told,
        }
