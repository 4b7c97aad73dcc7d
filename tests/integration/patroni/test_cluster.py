"""Patroni's configuration at work: who is primary, who comes in, and what a lost primary takes with it.

The tests go through one cluster in the order in which they stand, and each leaves it whole.
"""

import json
from collections.abc import Iterator
from typing import Final

import psycopg
import pytest

from devstack import waiting
from tests.integration.patroni import numbering
from tests.support.patroni import cluster as clusters
from tests.support.patroni.cluster import Cluster
from tests.support.patroni.member import Member

START_SECONDS: Final = 120.0
# The lock of a primary that is gone lasts `ttl`, 20 s; then a round of `loop_wait`, 5 s, and the promotion.
GAP_SECONDS: Final = 40.0
FAILOVER_SECONDS: Final = 60.0
REJOIN_SECONDS: Final = 60.0
PROXY_SECONDS: Final = 30.0
WRONG: Final = "not the password"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with clusters.prepared(3) as made:
        made.start(START_SECONDS)
        # The rounds of 5 s between a member's steps are most of what the tests would wait for. A failover is bounded by
        # the lock, which stays.
        assert made.primary().ask("PATCH", "/config", {"loop_wait": 1}, made.credentials())[0] == 200
        yield made


def test_a_commit_waits_for_any_one_of_two_standbys(cluster: Cluster) -> None:
    cluster.wait(
        lambda: sorted(cluster.roles().values()) == ["leader", "quorum_standby", "quorum_standby"],
        START_SECONDS,
        "the standbys are not counted upon",
    )
    with cluster.primary().connect() as conn:
        waited_for = conn.execute("SHOW synchronous_standby_names").fetchone()
        commit = conn.execute("SHOW synchronous_commit").fetchone()
    assert waited_for == (f"ANY 1 ({','.join(sorted(member.name for member in cluster.replicas()))})",)
    assert commit == ("on",)


def test_what_the_template_says_is_what_runs(cluster: Cluster) -> None:
    status, text = cluster.primary().ask("GET", "/config")
    config = json.loads(text)
    assert (status, config["ttl"], config["synchronous_mode"]) == (200, 20, "quorum")
    with cluster.primary().connect() as conn:
        for setting, value in (
            ("data_checksums", "on"),
            ("password_encryption", "scram-sha-256"),
            ("idle_in_transaction_session_timeout", "1min"),
            ("dynamic_shared_memory_type", "mmap"),
            ("TimeZone", "UTC"),
        ):
            assert conn.execute("SELECT current_setting(%s)", [setting]).fetchone() == (value,)


def test_the_proxy_leads_to_the_primary_and_to_replicas(cluster: Cluster) -> None:
    assert _waits_until(lambda: _leads_to_the_primary(cluster))
    expected = {member.port for member in cluster.replicas()}
    assert len(expected) == 2
    assert _waits_until(lambda: _servers(cluster, cluster.proxy.replicas) == expected)


@pytest.mark.parametrize("user", ["postgres", "replicator", "rewinder"])
def test_a_wrong_password_is_refused(cluster: Cluster, user: str) -> None:
    for changed in ({"password": WRONG}, {"password": ""}, {"password": WRONG, "host": _socket(cluster.primary())}):
        with pytest.raises(psycopg.OperationalError, match=r"password authentication failed|no password supplied"):
            cluster.primary().connect(user=user, **changed)


def test_replication_is_for_its_role_and_with_its_password_alone(cluster: Cluster) -> None:
    member = cluster.primary()
    with member.connect(user="replicator", password=member.password("REPLICATION"), replication="true") as conn:
        assert conn.execute("IDENTIFY_SYSTEM").fetchone() is not None
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        member.connect(user="replicator", password=WRONG, replication="true")
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects"):
        member.connect(replication="true")


def test_passwords_are_kept_as_scram_alone(cluster: Cluster) -> None:
    with cluster.primary().connect() as conn:
        kept = {
            name: password.split("$")[0]
            for name, password in conn.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolcanlogin")
        }
        methods = {method for (method,) in conn.execute("SELECT auth_method FROM pg_hba_file_rules")}
    assert kept == dict.fromkeys(("postgres", "replicator", "rewinder"), "SCRAM-SHA-256")
    assert methods == {"scram-sha-256", "reject"}


def test_what_changes_the_cluster_wants_a_password(cluster: Cluster) -> None:
    leader = cluster.primary()
    for path in ("/switchover", "/restart", "/reinitialize"):
        assert leader.ask("POST", path, {"leader": leader.name})[0] == 401
    assert leader.ask("PATCH", "/config", {"ttl": 600})[0] == 401


def test_a_switchover_loses_no_row(cluster: Cluster) -> None:
    before = cluster.primary()
    with numbering.writing(_through(cluster)) as writer:
        asked = {"leader": before.name}
        status, text = before.ask("POST", "/switchover", asked, cluster.credentials(), FAILOVER_SECONDS)
        assert status == 200, text
        cluster.wait(lambda: _another_leads(cluster, before), FAILOVER_SECONDS, "nobody else leads")
        writer.wait_for_more(100, PROXY_SECONDS)
    after = cluster.wait_whole(REJOIN_SECONDS)
    _assert_kept(cluster, writer, after)


def test_a_killed_primary_is_replaced_and_comes_back(cluster: Cluster) -> None:
    killed = cluster.primary()
    assert _waits_until(lambda: _leads_to_the_primary(cluster))
    with numbering.writing(_through(cluster)) as writer:
        killed.kill()
        cluster.wait(lambda: _another_leads(cluster, killed), FAILOVER_SECONDS, "nobody else leads")
        writer.wait_for_more(100, PROXY_SECONDS)
        killed.start()
        after = cluster.wait_whole(REJOIN_SECONDS)
    assert 1 < writer.longest_gap < GAP_SECONDS
    _assert_kept(cluster, writer, after)


def test_the_primary_answers_for_replicas_while_there_is_none(cluster: Cluster) -> None:
    primary, killed = cluster.primary(), cluster.replicas()
    for member in killed:
        member.kill()
    assert _waits_until(lambda: _servers(cluster, cluster.proxy.replicas) == {primary.port})

    with primary.connect(port=cluster.proxy.replicas) as conn:
        for member in killed:
            member.start()
        cluster.wait_whole(REJOIN_SECONDS)
        assert _waits_until(lambda: _servers(cluster, cluster.proxy.replicas) == {member.port for member in killed})
        with pytest.raises(psycopg.OperationalError):
            conn.execute("SELECT 1")


def _assert_kept(cluster: Cluster, writer: numbering.Writer, primary: Member) -> None:
    """Every acknowledged row is on every member, and they are of one timeline."""
    for member in cluster.members:
        with member.connect() as conn:
            assert _waits_until(lambda conn=conn: writer.acknowledged <= numbering.rows(conn)), member.name
    with primary.connect() as conn:
        stored = numbering.rows(conn)
    assert writer.acknowledged <= stored
    assert len({json.loads(member.ask("GET", "/patroni")[1])["timeline"] for member in cluster.members}) == 1


def _another_leads(cluster: Cluster, before: Member) -> bool:
    return any(member.is_primary() for member in cluster.members if member is not before)


def _through(cluster: Cluster) -> str:
    """The address that the application has: the proxy's first port."""
    return cluster.members[0].conninfo(port=cluster.proxy.primary)


def _leads_to_the_primary(cluster: Cluster) -> bool:
    """The proxy has seen the last change: until its next checks it leads to who was primary before as well."""
    return _servers(cluster, cluster.proxy.primary) == {cluster.primary().port}


def _servers(cluster: Cluster, port: int) -> set[int]:
    """Which servers four connections come to; none when one is refused."""
    try:
        return {_server(cluster, port) for _ in range(4)}
    except psycopg.OperationalError:
        return set()


def _server(cluster: Cluster, port: int) -> int:
    with cluster.members[0].connect(port=port) as conn:
        row = conn.execute("SELECT inet_server_port()").fetchone()
    assert row is not None
    return int(row[0])


def _socket(member: Member) -> str:
    return str(member.folder / "run")


def _waits_until(condition: object) -> bool:
    assert callable(condition)
    return waiting.until(condition, PROXY_SECONDS)
