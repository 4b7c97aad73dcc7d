"""PostgreSQL and Patroni: who is the primary, whether its standbys keep up, what the database does.

`service` is the name of the member, whoever was asked about it.
"""

from typing import Final

from monitoring.dashboards import promql
from monitoring.dashboards.boards import Board, Objective, Panel, Query, Row

_MEMBER: Final = "{{service}}"
_OURS: Final = 'datname="allezone"'


def _members(metric: str) -> str:
    """How many members say so, by their own names: one with the address of another that is dead is asked for both."""
    return f"sum(max by (scope, name) ({metric}))"


_CLUSTER: Final = Row(
    "Patroni: who leads",
    (
        Panel(
            title="Primaries",
            description="1 is right. 0: nothing is counted and no aggregates answered until Patroni has made one, in "
            "seconds as a rule. 2: somebody interferes with Patroni.",
            alerts=("PatroniWithoutPrimary", "PatroniTwoPrimaries"),
            queries=(Query(_members("patroni_primary"), "primaries"),),
            kind="stat",
            objective=Objective(1, "exactly"),
            width=4,
            height=5,
        ),
        Panel(
            title="Standbys in sync",
            description="Standbys of which one at least has each commit. 0: commits wait, or are on one machine "
            "alone.",
            alerts=("PatroniWithoutSyncStandby",),
            queries=(Query(f"{_members('patroni_sync_standby')} + {_members('patroni_quorum_standby')}", "in sync"),),
            kind="stat",
            objective=Objective(1, "above"),
            width=4,
            height=5,
        ),
        Panel(
            title="Members not running",
            description="Of those that the layout has. With one of two missing there is no standby.",
            queries=(Query(promql.missing("patroni", _members("patroni_postgres_running")), "missing"),),
            kind="stat",
            objective=Objective(1, "below"),
            width=4,
            height=5,
        ),
        Panel(
            title="Automatic failover off",
            description="1: Patroni is paused, nobody takes over from a primary that dies. `patronictl resume`.",
            alerts=("PatroniPaused",),
            queries=(Query("max(patroni_is_paused)", "paused"),),
            kind="stat",
            objective=Objective(1, "below"),
            width=4,
            height=5,
        ),
        Panel(
            title="Restarts pending",
            description="Members with settings that only a restart brings about. `patronictl restart`.",
            queries=(Query("sum(patroni_pending_restart)", "pending"),),
            kind="stat",
            objective=Objective(1, "below"),
            width=4,
            height=5,
        ),
        Panel(
            title="Etcd members without a leader",
            description="Of those that the layout has. Without etcd no primary stays one: Patroni makes it read-only.",
            alerts=("EtcdWithoutLeader", "EtcdLeaderChanges"),
            queries=(Query(promql.missing("etcd", "sum(etcd_server_has_leader)"), "missing"),),
            kind="stat",
            objective=Objective(1, "below"),
            width=4,
            height=5,
        ),
        Panel(
            title="Who is the primary",
            description="1 where the member is it: where the line goes from one to another, there was a failover.",
            queries=(Query("max by (service) (patroni_primary)", _MEMBER),),
            highest=1,
            width=6,
        ),
        Panel(
            title="Standbys behind",
            description="Bytes of the log that each standby has not replayed yet.",
            alerts=("PatroniReplicationLag",),
            queries=(
                Query(
                    "max by (service) (scalar(max(patroni_xlog_location)) - "
                    "(patroni_xlog_replayed_location and patroni_replica == 1))",
                    _MEMBER,
                ),
            ),
            unit="bytes",
            width=6,
        ),
        Panel(
            title="Since Patroni has seen etcd",
            description="By member. At 20 s, the time to live, the primary steps down.",
            queries=(Query("time() - max by (service) (patroni_dcs_last_seen)", _MEMBER),),
            unit="s",
            objective=Objective(20, "below"),
            width=6,
        ),
        Panel(
            title="Etcd: time until the log is on disk, 99 %",
            description="By member. A disk that takes longer than 100 ms makes elections.",
            queries=(
                Query(promql.quantile(0.99, "etcd_disk_wal_fsync_duration_seconds", by="service"), _MEMBER),
            ),
            unit="s",
            objective=Objective(0.1, "below"),
            width=6,
        ),
    ),
)  # fmt: skip

_DATABASE: Final = Row(
    "PostgreSQL: what the database does",
    (
        Panel(
            title="Members that answer",
            description="1 where the exporter can log in.",
            alerts=("PostgresDown",),
            queries=(Query("min by (service) (pg_up)", _MEMBER),),
            objective=Objective(1, "above"),
            highest=1,
            width=6,
        ),
        Panel(
            title="Commits a second",
            description="In our database, by member.",
            queries=(Query(promql.rate(f"pg_stat_database_xact_commit{{{_OURS}}}", by="service"), _MEMBER),),
            width=6,
        ),
        Panel(
            title="Rollbacks a second",
            description="In our database, by member. A worker rolls back where another one was first: seldom.",
            queries=(Query(promql.rate(f"pg_stat_database_xact_rollback{{{_OURS}}}", by="service"), _MEMBER),),
            width=6,
        ),
        Panel(
            title="Rows written a second",
            description="In our database: counts that were appended, and minute totals that were changed.",
            queries=(
                Query(promql.rate(f"pg_stat_database_tup_inserted{{{_OURS}}}", by="service"), "{{service}} appended"),
                Query(promql.rate(f"pg_stat_database_tup_updated{{{_OURS}}}", by="service"), "{{service}} changed"),
            ),
            width=6,
        ),
        Panel(
            title="Connections, share of those allowed",
            description="By member, of clients: PostgreSQL's own processes take nobody's place. At 1 nobody else is "
            "let in but a superuser.",
            alerts=("PostgresConnectionsNearLimit",),
            queries=(
                Query(
                    "sum by (service) (pg_stat_database_numbackends) / max by (service) (pg_settings_max_connections)",
                    _MEMBER,
                ),
            ),
            unit="percentunit",
            objective=Objective(0.8, "below"),
            highest=1,
            width=6,
        ),
        Panel(
            title="Longest transaction",
            description="By member. A long one holds up vacuum and, if it writes, the dropping of hours.",
            queries=(Query("max by (service) (pg_stat_activity_max_tx_duration)", _MEMBER),),
            unit="s",
            width=6,
        ),
        Panel(
            title="Blocks found in memory",
            description="Share of the blocks that our database read.",
            queries=(
                Query(
                    f"{promql.rate(f'pg_stat_database_blks_hit{{{_OURS}}}', by='service')} / "
                    f"({promql.rate(f'pg_stat_database_blks_hit{{{_OURS}}}', by='service')} + "
                    f"{promql.rate(f'pg_stat_database_blks_read{{{_OURS}}}', by='service')})",
                    _MEMBER,
                ),
            ),
            unit="percentunit",
            highest=1,
            width=6,
        ),
        Panel(
            title="Size",
            description="Of our database, by member. It grows until retention drops as many hours as are made.",
            queries=(Query(f"max by (service) (pg_database_size_bytes{{{_OURS}}})", _MEMBER),),
            unit="bytes",
            width=6,
        ),
        Panel(
            title="Deadlocks and conflicts",
            description="Neither is ordinary here.",
            queries=(
                Query(promql.increase(f"pg_stat_database_deadlocks{{{_OURS}}}", by="service"), "{{service}} deadlocks"),
                Query(promql.increase(f"pg_stat_database_conflicts{{{_OURS}}}", by="service"), "{{service}} conflicts"),
            ),
            width=6,
        ),
        Panel(
            title="Bytes of temporary files a second",
            description="Sorts that did not fit into memory: queries of analysts, as a rule.",
            queries=(Query(promql.rate(f"pg_stat_database_temp_bytes{{{_OURS}}}", by="service"), _MEMBER),),
            unit="Bps",
            width=6,
        ),
        Panel(
            title="Checkpoints",
            description="Timed ones are right; many requested ones: max_wal_size is too small for what is written.",
            queries=(
                Query(promql.increase("pg_stat_checkpointer_num_timed_total", by="service"), "{{service}} timed"),
                Query(
                    promql.increase("pg_stat_checkpointer_num_requested_total", by="service"), "{{service}} requested"
                ),
            ),
            width=6,
        ),
        Panel(
            title="Archiving of the log",
            description="Segments archived, and failures: with failures nothing can be restored, and the disk fills.",
            alerts=("PostgresArchivingFails", "PostgresArchivingStands"),
            queries=(
                Query(promql.increase("pg_stat_archiver_archived_count", by="service"), "{{service}} archived"),
                Query(promql.increase("pg_stat_archiver_failed_count", by="service"), "{{service}} failed"),
            ),
            width=6,
        ),
    ),
)

_PROXY: Final = Row(
    "The proxy before it",
    (
        Panel(
            title="Servers that the proxy leads to",
            description="primary: 1 is right. replicas: the standbys that answer; at 0 the primary does instead.",
            alerts=("PostgresProxyWithoutPrimary",),
            queries=(
                Query('min by (proxy) (haproxy_backend_active_servers{service="postgres-proxy"})', "{{proxy}}"),
            ),
            width=12,
        ),
        Panel(
            title="Connections through the proxy",
            description="Open now, over all proxies.",
            queries=(
                Query('sum by (proxy) (haproxy_backend_current_sessions{service="postgres-proxy"})', "{{proxy}}"),
            ),
            width=12,
        ),
    ),
)  # fmt: skip

BOARD: Final = Board(
    uid="allezone-postgres",
    title="PostgreSQL and Patroni",
    description="Who is the primary, whether its standbys keep up, and what the database does.",
    rows=(_CLUSTER, _DATABASE, _PROXY),
)
