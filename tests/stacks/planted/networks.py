"""Violations of the policies in networks.py."""

from typing import Final

from tests.stacks.planted.planting import (
    CLUSTER,
    STATEFUL,
    STATELESS,
    WITH_BACKUPS,
    Planted,
    both,
    drop,
    network,
    put,
    within,
)
from tests.stacks.policies import networks

PLANTED: Final[list[Planted]] = [
    (networks.only_the_edge_publishes_ports, STATELESS, put("gateway", ports=["8088:8088"]), "gateway"),
    (networks.only_the_edge_publishes_ports, STATEFUL, put("kafka1", ports=["9092:9092"]), "kafka1"),
    (networks.networks_are_chosen, STATELESS, put("gateway", networks=[]), "gateway"),
    (networks.networks_are_chosen, STATELESS, drop("topics", "networks"), "topics"),
    (networks.networks_are_chosen, STATELESS, put("gateway", networks=["default"]), "default"),
    (networks.networks_hold_only_who_needs_them, STATELESS, put("edge", networks=["edge", "postgres"]), "postgres"),
    (networks.networks_hold_only_who_needs_them, STATELESS, put("aggregates", networks=["aerospike"]), "aerospike"),
    (networks.networks_hold_only_who_needs_them, STATEFUL, put("kafka1", networks=["patroni"]), "patroni"),
    (networks.networks_are_closed, STATEFUL, network("aerospike", internal=False), "aerospike"),
    (networks.networks_are_encrypted, STATEFUL, network("kafka", driver_opts={}), "kafka"),
    (networks.names_are_addresses_of_tasks, STATEFUL, within("etcd1", "deploy", endpoint_mode="vip"), "etcd1"),
    (networks.names_are_addresses_of_tasks, STATELESS, put("edge", ports=["443:8443"]), "ingress"),
    (networks.networks_hold_only_who_needs_them, STATELESS, put("edge", networks=["edge", "kafka"]), "kafka"),
    (networks.networks_hold_only_who_needs_them, STATELESS, put("gateway", networks=["databases"]), "databases"),
    (networks.networks_hold_only_who_needs_them, STATELESS, put("roles", networks=["everybody"]), "everybody"),
    (
        networks.networks_hold_only_who_needs_them,
        STATELESS,
        put("prometheus", networks=["monitoring", "notifications"]),
        "prometheus: is on the network notifications",
    ),
    # As backups once went: over one network that no policy looked at.
    (networks.networks_are_encrypted, WITH_BACKUPS, network("backup2", driver_opts={}), "backup2"),
    (
        networks.networks_hold_only_who_needs_them,
        WITH_BACKUPS,
        put("patroni2", networks=["patroni", "databases", "backup1"]),
        "patroni2: is on the network backup1",
    ),
    # As all of them once were on the network of monitoring.
    (
        networks.one_way_leads_to_a_server,
        CLUSTER,
        both("edge", "gateway", "monitoring"),
        "edge and gateway: meet on more than one",
    ),
    (
        networks.one_way_leads_to_a_server,
        CLUSTER,
        both("postgres-proxy", "aggregates", "kafka"),
        "postgres-proxy and aggregates",
    ),
    (
        networks.one_way_leads_to_a_server,
        CLUSTER,
        both("patroni1", "postgres-proxy", "patroni"),
        "patroni1 and postgres-proxy",
    ),
    (
        networks.networks_that_are_found_are_made,
        CLUSTER,
        network("aerospike", external=True, name="allezone-profiles"),
        "allezone-profiles",
    ),
]
