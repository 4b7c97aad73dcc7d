"""Violations of the policies in placement.py."""

from typing import Final

from tests.stacks.planted.planting import STATEFUL, STATELESS, Planted, put, within
from tests.stacks.policies import placement

PLANTED: Final[list[Planted]] = [
    (placement.services_are_placed, STATELESS, within("gateway", "deploy.placement", constraints=[]), "gateway"),
    (placement.services_are_placed, STATELESS, within("gateway", "deploy.placement", max_replicas_per_node=4), "room"),
    (placement.services_are_placed, STATELESS, within("edge", "deploy.placement", constraints=[]), "edge: no label"),
    (
        placement.services_are_placed,
        STATELESS,
        within("edge", "deploy", mode="replicated", replicas=2, placement={"max_replicas_per_node": 1}),
        "edge: with one node left",
    ),
    (placement.services_are_placed, STATEFUL, within("postgres-proxy", "deploy", replicas=2), "has a number"),
    (
        placement.data_has_one_home,
        STATEFUL,
        within("kafka1", "deploy.placement", constraints=["node.labels.gateway == true"]),
        "no node of its own",
    ),
    (placement.data_has_one_home, STATEFUL, within("kafka1", "deploy", replicas=2), "not one task"),
    (placement.data_has_one_home, STATEFUL, put("kafka1", hostname="kafka2"), "not one task"),
    (
        placement.databases_share_no_node,
        STATEFUL,
        within("kafka2", "deploy.placement", constraints=["node.labels.service == kafka1"]),
        "kafka1: is the node of 2",
    ),
    (
        placement.databases_share_no_node,
        STATEFUL,
        within("patroni1", "deploy.placement", constraints=["node.labels.service == aerospike1"]),
        "aerospike1: is the node of 2",
    ),
    (
        placement.databases_share_no_node,
        STATEFUL,
        within("etcd2", "deploy.placement", constraints=["node.labels.etcd == etcd1"]),
        "etcd1: is the node of 2",
    ),
    (
        placement.data_has_one_home,
        STATEFUL,
        within("etcd2", "deploy.placement", constraints=["node.labels.gateway == true"]),
        "etcd2: has data and no node",
    ),
]
