"""Backups in S3 by the images' own configuration: taken, and a whole cluster made from them again.

One cluster goes through the tests in the order in which they stand.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr

from devstack.kafka import KafkaServer
from runtime.settings import DatabaseSettings
from stores import migrate
from tests.integration.operations.installation import Installation, some_tags, sums_of
from tests.support import pgbackrest, topics
from tests.support.patroni import backups as patroni_backups
from tests.support.patroni import cluster as clusters
from tests.support.patroni.backups import Backups
from tests.support.patroni.cluster import Cluster
from tests.support.patroni.member import SUPERUSER
from tests.support.s3 import server as s3

START_SECONDS: Final = 120.0
SWITCH_SECONDS: Final = 60.0
DATABASE: Final = "allezone"


@pytest.fixture(scope="module")
def program() -> Path:
    return pgbackrest.require()


@pytest.fixture(scope="module")
def cluster(program: Path) -> Iterator[Cluster]:
    """Two members, not started."""
    with clusters.prepared(2) as made:
        yield made


@pytest.fixture(scope="module")
def storage(cluster: Cluster) -> Iterator[s3.Front]:
    with s3.running(cluster.state) as front:
        yield front


@pytest.fixture(scope="module")
def backups(cluster: Cluster, storage: s3.Front, program: Path) -> Backups:
    """A running cluster, of which there is one full backup."""
    made = Backups(cluster, storage, program)
    cluster.start(START_SECONDS)
    assert cluster.primary().ask("PATCH", "/config", {"loop_wait": 1}, cluster.credentials())[0] == http.client.OK
    made.wait_for(["full"])
    return made


@pytest.fixture
def database(backups: Backups, cluster: Cluster) -> DatabaseSettings:
    """Through the proxy, as the application reaches it."""
    with cluster.primary().connect() as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    settings = DatabaseSettings(
        db_host="127.0.0.1",
        db_port=cluster.proxy.primary,
        db_name=DATABASE,
        db_user=SUPERUSER,
        db_password=SecretStr(cluster.members[0].password()),
    )
    migrate.apply(settings.conninfo())
    return settings


def test_nothing_in_s3_can_be_read_without_the_passphrase(backups: Backups, storage: s3.Front) -> None:
    status, content = s3.ask(storage, "GET", f"/{s3.BUCKET}/allezone/backup/allezone/backup.info")
    assert status == http.client.OK
    assert content.startswith(b"Salted__")


def test_an_operator_can_check_what_there_is(backups: Backups, cluster: Cluster) -> None:
    backups.ask(cluster.primary(), "check")
    assert "status: ok" in backups.ask(cluster.primary(), "verify", "--output=text", "--verbose")


def test_a_backup_is_tried_beside_a_running_member(backups: Backups, cluster: Cluster) -> None:
    replica = cluster.replicas()[0]
    with backups.trial(replica) as conninfo, psycopg.connect(conninfo) as conn:
        assert conn.execute("SHOW archive_mode").fetchone() == ("off",)
        assert conn.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'replicator'").fetchone() == (1,)
    assert replica.is_replica()


def test_a_new_primary_takes_a_small_backup_of_its_timeline(backups: Backups, cluster: Cluster) -> None:
    before = cluster.primary()
    asked = {"leader": before.name}
    status, text = before.ask("POST", "/switchover", asked, cluster.credentials(), SWITCH_SECONDS)
    assert status == http.client.OK, text
    backups.wait_for(["full", "incr"])
    assert backups.listed()[-1]["archive"]["stop"].startswith("00000002")


def test_with_s3_away_writes_go_on_and_are_archived_later(
    backups: Backups, cluster: Cluster, storage: s3.Front
) -> None:
    primary = cluster.wait_whole(SWITCH_SECONDS)
    with primary.connect() as conn:
        storage.kill()
        conn.execute("CREATE TABLE away (number integer)")
        conn.execute("SELECT pg_switch_wal()")
        cluster.wait(lambda: _failures(conn) > 0, patroni_backups.BACKUP_SECONDS, "nothing was tried")
        conn.execute("INSERT INTO away VALUES (1)")
    storage.start()
    storage.wait_ready()
    backups.wait_archived(primary)


async def test_a_cluster_made_from_a_backup_counts_what_is_missing_in_it_from_kafka(
    backups: Backups,
    cluster: Cluster,
    database: DatabaseSettings,
    kafka: KafkaServer,
    topic: str,
    tmp_path: Path,
) -> None:
    """To a point in time, and then to the end of what that cluster archived; with the same worker all the while."""
    installation = Installation(topics.make(kafka, topic, partitions=2), database, tmp_path)
    first, second, third = some_tags(200), some_tags(150, seed=2), some_tags(100, seed=3)
    with installation.worker() as worker:
        installation.produce(first)
        await installation.wait_until_counted(200)
        await installation.execute("CREATE TABLE mark (text text)")
        ((point,),) = await installation.rows("SELECT clock_timestamp()::text")
        await installation.execute("INSERT INTO mark VALUES ('behind the point')")
        installation.produce(second)
        await installation.wait_until_counted(350)
        with installation.worker("profiles"):
            await installation.wait_until_taken()
        profiles = await installation.profiles()
        backups.wait_archived(cluster.primary())

        _restore(cluster, str(point))
        assert await installation.rows("SELECT text FROM mark") == []
        assert await installation.sums() in (sums_of(first), sums_of([*first, *second])), "the worker may have looked"
        assert await installation.profiles() == []
        assert await installation.operate("rebuild-profiles") == 0
        assert await installation.profiles() == profiles
        await installation.wait_until_counted(350)  # the worker finds its place changed, with nothing to write
        installation.produce(third)
        await installation.wait_until_counted(450)
        assert await installation.sums() == sums_of([*first, *second, *third])

        await installation.execute("INSERT INTO mark VALUES ('after the restore')")
        backups.wait_archived(cluster.primary())
        _restore(cluster, "latest")
        assert await installation.rows("SELECT text FROM mark") == [("after the restore",)]
        assert await installation.sums() == sums_of([*first, *second, *third])
        assert worker.running


def test_what_was_restored_is_an_ordinary_cluster_again(backups: Backups, cluster: Cluster) -> None:
    for member in cluster.members:
        with member.connect() as conn:
            assert conn.execute("SHOW recovery_target_time").fetchone() == ("",)
            assert conn.execute("SHOW restore_command").fetchone() == ("",)
    primary = cluster.primary()
    backups.wait_archived(primary)
    timeline = json.loads(primary.ask("GET", "/patroni")[1])["timeline"]
    cluster.wait(
        lambda: backups.listed()[-1]["archive"]["stop"].startswith(f"{timeline:08X}"),
        patroni_backups.BACKUP_SECONDS,
        "no backup of the new timeline",
    )


def test_passwords_are_those_of_the_secrets_whatever_the_backup_has(backups: Backups, cluster: Cluster) -> None:
    old = cluster.members[0].password()
    backups.wait_archived(cluster.primary())
    for name in ("SUPERUSER_PASSWORD", "REPLICATION_PASSWORD", "REWIND_PASSWORD"):
        cluster.secrets[name].write_text(f"another {name.lower()}")
    _restore(cluster, "latest")
    assert cluster.members[0].password() != old
    for member in cluster.members:
        member.connect().close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            member.connect(password=old)


def _restore(cluster: Cluster, target: str) -> None:
    """As docs/operations/backup.md tells it."""
    cluster.lose()
    patroni_backups.restore_to(cluster, target)
    cluster.start(START_SECONDS)


def _failures(conn: psycopg.Connection) -> int:
    row = conn.execute("SELECT failed_count FROM pg_stat_archiver").fetchone()
    assert row is not None
    return int(row[0])
