"""Backups of a cluster: what its members are told, and what there is in S3."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT
from typing import Any, Final

import psycopg

from devstack import ports, postgres, processes, unprivileged
from tests.support.patroni.cluster import Cluster
from tests.support.patroni.member import Member
from tests.support.s3 import server as s3

BACKUP_SECONDS: Final = 120.0  # a busy machine, and an S3 of one thread
_SECRETS: Final = ("BACKUP_KEY", "BACKUP_KEY_SECRET", "BACKUP_CIPHER")


class Backups:
    """Backups of `cluster` into `front`, by the pgBackRest in the folder `program`."""

    def __init__(self, cluster: Cluster, front: s3.Front, program: Path) -> None:
        self._cluster, self._program = cluster, program
        told = {
            "PATH": f"{program}:{os.environ['PATH']}",
            "BACKUP_BUCKET": s3.BUCKET,
            "BACKUP_ENDPOINT": front.endpoint,
            "BACKUP_URI_STYLE": "path",
            "BACKUP_CA_FILE": str(front.authority),
            "BACKUP_ROUND_SECONDS": "1",
        }
        for name in _SECRETS:
            path = cluster.state / name
            path.write_text(f"of {name.lower()} # 'for tests'")
            path.chmod(0o644)
            told[f"{name}_FILE"] = str(path)
        for member in cluster.members:
            member.told |= told

    def listed(self) -> list[dict[str, Any]]:
        """As `pgbackrest info` has them, oldest first; what the documentation tells an operator to look at."""
        printed = self.ask(self._cluster.members[0], "info", "--output=json")
        return [backup for stanza in json.loads(printed) for backup in stanza.get("backup", [])]

    def ask(self, member: Member, *arguments: str) -> str:
        """pgBackRest in the place of `docker exec` in a member's container; its output."""
        program, run = self._program / "pgbackrest", member.folder / "run"
        done = subprocess.run(
            [*unprivileged.prefix(run, program), str(program), *arguments],
            env=_environment(member),
            capture_output=True,
            text=True,
            timeout=BACKUP_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def trial(self, member: Member) -> Iterator[str]:
        """The newest backup and all WAL since, as a server beside the member's own; how to reach it."""
        data, run, port = member.folder / "trial", str(member.folder / "run"), ports.reserve()
        unprivileged.own(data)
        self.ask(member, "restore", f"--pg1-path={data}", "--archive-mode=off")
        argv = [*unprivileged.prefix(data, postgres.binaries() / "postgres"), str(postgres.binaries() / "postgres")]
        # Of another member's configuration, perhaps: in containers all have the same folders.
        argv += [
            "-D",
            str(data),
            "-c",
            f"port={port}",
            "-c",
            "listen_addresses=",
            "-c",
            f"unix_socket_directories={run}",
        ]
        log = self._cluster.state / "trial.log"
        process = processes.Process(processes.Command("trial", argv, log, env=_environment(member), stop=SIGINT))
        conninfo = member.conninfo(host=run, port=port)
        try:
            self._cluster.wait(
                lambda: not process.running or _is_restored(conninfo), BACKUP_SECONDS, "the trial is not there"
            )
            assert process.running, log.read_text()
            yield conninfo
        finally:
            process.stop(BACKUP_SECONDS)
            shutil.rmtree(data)

    def wait_for(self, kinds: list[str]) -> None:
        """Until there are backups of these kinds, oldest first, and no more."""
        self._cluster.wait(lambda: self._kinds() == kinds, BACKUP_SECONDS, f"no backups {kinds}")

    def wait_archived(self, member: Member) -> None:
        """Until all that the member has written so far is in S3."""
        with member.connect() as conn:
            row = conn.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
            assert row is not None
            archived = "SELECT last_archived_wal >= %s FROM pg_stat_archiver"
            self._cluster.wait(
                lambda: conn.execute(archived, [row[0]]).fetchone() == (True,), BACKUP_SECONDS, "WAL is not archived"
            )

    def _kinds(self) -> list[str]:
        return [backup["type"] for backup in self.listed()]


def _environment(member: Member) -> dict[str, str]:
    """What the Dockerfile gives whoever works in a member's container."""
    run = member.folder / "run"
    return {
        "PATH": os.environ["PATH"],
        "PGBACKREST_CONFIG": str(run / "pgbackrest.conf"),
        "PGBACKREST_STANZA": "allezone",
        "PGPASSFILE": str(run / "backup.pgpass"),
    }


def _is_restored(conninfo: str) -> bool:
    try:
        with psycopg.connect(conninfo) as conn:
            return conn.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
    except psycopg.OperationalError:
        return False


def restore_to(cluster: Cluster, target: str) -> None:
    """What the members are told for their next start: `latest`, a time, or nothing."""
    for member in cluster.members:
        member.told["RESTORE_TARGET"] = target
