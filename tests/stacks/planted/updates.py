"""Violations of the policies in updates.py."""

from typing import Final

from tests.stacks.planted.planting import STATEFUL, STATELESS, Planted, config, put, within
from tests.stacks.policies import updates

PLANTED: Final[list[Planted]] = [
    (updates.updates_are_rolled_back, STATELESS, within("gateway", "deploy", update_config={}), "gateway"),
    (
        updates.updates_are_rolled_back,
        STATELESS,
        within("gateway", "deploy.update_config", failure_action="continue"),
        "gateway",
    ),
    (updates.updates_are_rolled_back, STATELESS, within("gateway", "deploy", rollback_config={}), "gateway"),
    (
        updates.updates_are_rolled_back,
        STATEFUL,
        within("kafka1", "deploy.update_config", order="start-first"),
        "share a volume",
    ),
    (
        updates.updates_are_rolled_back,
        STATELESS,
        within("edge", "deploy.update_config", order="start-first"),
        "share a volume or a port",
    ),
    (updates.updates_are_rolled_back, STATELESS, within("gateway", "deploy.update_config", monitor="5s"), "watched"),
    (
        updates.updates_are_rolled_back,
        STATELESS,
        within("gateway", "deploy.restart_policy", condition="none"),
        "not started again",
    ),
    (updates.updates_are_rolled_back, STATELESS, within("topics", "deploy", restart_policy={}), "topics"),
    (
        updates.updates_are_rolled_back,
        STATELESS,
        within("gateway", "deploy.update_config", parallelism=0),
        "gateway: all are replaced at once",
    ),
    (
        updates.updates_are_rolled_back,
        STATELESS,
        within("gateway", "deploy.update_config", max_failure_ratio=0.5),
        "gateway: what fails is not rolled back",
    ),
    (
        updates.updates_are_rolled_back,
        STATELESS,
        within("gateway", "deploy.rollback_config", failure_action="continue"),
        "gateway: a way back that fails",
    ),
    (
        updates.updates_are_rolled_back,
        STATEFUL,
        within("etcd1", "deploy.rollback_config", order="start-first"),
        "etcd1: two at a time",
    ),
    (
        updates.updates_are_rolled_back,
        STATEFUL,
        within("etcd1", "deploy.update_config", parallelism=3),
        "etcd1: more than one with data",
    ),
    (
        updates.updates_are_rolled_back,
        STATEFUL,
        within("patroni1", "deploy.rollback_config", monitor="90s"),
        "patroni1: is watched",
    ),
    (
        updates.configs_are_named_by_their_content,
        STATELESS,
        config("prometheus", name="allezone_prometheus_00000000"),
        "is to be named allezone_prometheus_",
    ),
    (updates.configs_are_named_by_their_content, STATELESS, config("prometheus", file="nowhere.yml"), "no file"),
    (updates.configs_are_named_by_their_content, STATELESS, put("prometheus", configs=[]), "declared and not used"),
]
