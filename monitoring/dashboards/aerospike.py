"""Aerospike: whether both nodes are there and hold each other's copies, what they are asked, and what is left."""

from typing import Final

from monitoring.dashboards import promql
from monitoring.dashboards.boards import Board, Objective, Panel, Query, Row

_NODE: Final = "{{service}}"
_FOUND: Final = "{{service}} found"
_UNKNOWN: Final = "{{service}} unknown"
_NAMESPACE: Final = 'ns="profiles"'


def _rate(counter: str) -> str:
    """How fast a counter of the namespace grows, by node."""
    return promql.rate(f"aerospike_namespace_{counter}{{{_NAMESPACE}}}", by="service")


_HEALTH: Final = Row(
    "Is everything there, twice",
    (
        Panel(
            title="Nodes missing",
            description="Of those that the layout has. With one of two everything goes on, without copies.",
            alerts=("AerospikeNodeDown",),
            queries=(Query(promql.missing("aerospike", "sum(aerospike_node_up)"), "missing"),),
            kind="stat",
            objective=Objective(1, "below"),
            no_value="none here",
            width=6,
            height=5,
        ),
        Panel(
            title="Nodes that the smallest cluster lacks",
            description="As the nodes see it. 1 while all answer: they do not see each other.",
            alerts=("AerospikeClusterSmall",),
            queries=(Query(promql.missing("aerospike", "min(aerospike_node_stats_cluster_size)"), "missing"),),
            kind="stat",
            objective=Objective(1, "below"),
            no_value="none here",
            width=6,
            height=5,
        ),
        Panel(
            title="Writes stopped",
            description="1: a node is too full, or the clocks are too far apart, and takes no writes.",
            alerts=("AerospikeStopWrites",),
            queries=(
                Query(f"max(aerospike_namespace_stop_writes{{{_NAMESPACE}}})", "too full"),
                Query(f"max(aerospike_namespace_clock_skew_stop_writes{{{_NAMESPACE}}})", "clocks"),
            ),
            kind="stat",
            objective=Objective(1, "below"),
            width=6,
            height=5,
        ),
        Panel(
            title="Partitions on the move",
            description="Still to be sent to the other node: until 0, some are there once.",
            queries=(
                Query(f"sum(aerospike_namespace_migrate_tx_partitions_remaining{{{_NAMESPACE}}})", "to send"),
            ),
            kind="stat",
            objective=Objective(1, "below"),
            width=6,
            height=5,
        ),
    ),
)  # fmt: skip

_WORK: Final = Row(
    "What is asked",
    (
        Panel(
            title="Profiles read a second",
            description="By node: found, and not found, which are unknown cookies.",
            queries=(
                Query(_rate("client_read_success"), _FOUND),
                Query(_rate("client_read_not_found"), _UNKNOWN),
            ),
            unit="reqps",
            width=6,
        ),
        Panel(
            title="Profiles written a second",
            description="In batches, by node.",
            queries=(Query(_rate("batch_sub_write_success"), _NODE),),
            unit="wps",
            width=6,
        ),
        Panel(
            title="Failed a second",
            description="Reads and writes that failed or were too late, by node. Writes are tried again.",
            queries=(
                Query(_rate("client_read_error"), "{{service}} reads"),
                Query(_rate("client_read_timeout"), "{{service}} reads too late"),
                Query(_rate("batch_sub_write_error"), "{{service}} writes"),
                Query(_rate("batch_sub_write_timeout"), "{{service}} writes too late"),
            ),
            unit="ops",
            width=6,
        ),
        Panel(
            title="Connections",
            description="Of gateways and workers, by node.",
            queries=(Query("max by (service) (aerospike_node_stats_client_connections)", _NODE),),
            width=6,
        ),
    ),
)

_LEFT: Final = Row(
    "What is left",
    (
        Panel(
            title="Profiles kept",
            description="Records by node, copies among them.",
            queries=(Query(f"max by (service) (aerospike_namespace_objects{{{_NAMESPACE}}})", _NODE),),
            width=6,
        ),
        Panel(
            title="Storage used",
            description="Share, by node. Writes stop before it is full (stop-writes-used-pct).",
            alerts=("AerospikeStorageFilling",),
            queries=(
                Query(
                    f"max by (service) (aerospike_namespace_data_used_bytes{{{_NAMESPACE}}}) / "
                    f"max by (service) (aerospike_namespace_data_total_bytes{{{_NAMESPACE}}})",
                    _NODE,
                ),
            ),
            unit="percentunit",
            objective=Objective(0.7, "below"),
            highest=1,
            width=6,
        ),
        Panel(
            title="Memory left",
            description="Percent of the machine's, as the node sees it.",
            alerts=("AerospikeMemoryLow",),
            queries=(Query("min by (service) (aerospike_node_stats_system_free_mem_pct)", _NODE),),
            unit="percent",
            objective=Objective(15, "above"),
            highest=100,
            width=6,
        ),
        Panel(
            title="Uptime",
            description="By node. What falls to 0 was restarted.",
            queries=(Query("max by (service) (aerospike_node_stats_uptime)", _NODE),),
            unit="s",
            width=6,
        ),
    ),
)

BOARD: Final = Board(
    uid="allezone-aerospike",
    title="Aerospike",
    description="Whether both nodes are there and hold each other's copies, what they are asked, and what is left.",
    rows=(_HEALTH, _WORK, _LEFT),
)
