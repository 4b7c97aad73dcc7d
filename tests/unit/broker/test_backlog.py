"""A coordinator that says it is not there yet is asked again, and no error of Kafka's passes for an answer."""

import uuid
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, TopicPartition

from broker import backlog, connections, errors, topics
from broker.backlog import Backlog

SETTLING = [KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.NOT_COORDINATOR]
TIMEOUT_S = 0.3


class Cluster:
    """Says what is in `listing` and `committing`, error after error, and then answers."""

    bootstrap = "nobody:1"

    def __init__(self) -> None:
        self.listing: list[int] = []
        self.committing: list[int] = []
        self.given_s: list[float] = []

    def list_consumer_groups(self, request_timeout: float) -> Future[Any]:
        self.given_s.append(request_timeout)
        failed = [KafkaError(self.listing.pop(0))] if self.listing else []
        future: Future[Any] = Future()
        future.set_result(SimpleNamespace(valid=[SimpleNamespace(group_id="one")], errors=failed))
        return future

    def committed(self, asked: list[TopicPartition], timeout: float) -> list[SimpleNamespace]:
        self.given_s.append(timeout)
        failed = KafkaError(self.committing.pop(0)) if self.committing else None
        return [SimpleNamespace(partition=each.partition, offset=3, error=failed) for each in asked]

    def close(self) -> None:
        """As a consumer's."""

    @property
    def admin(self) -> connections.Admin:
        return cast(connections.Admin, self)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """One topic of one partition with ten records."""
    found = Cluster()
    monkeypatch.setattr(backlog, "Consumer", lambda _config: found)
    monkeypatch.setattr(topics, "describe", lambda *_: topics.Topic("tags", uuid.UUID(int=1), 1, 1))
    monkeypatch.setattr(topics, "read_offsets", lambda *_: {0: (0, 10)})
    return found


@pytest.mark.parametrize("code", SETTLING)
def test_a_coordinator_that_is_just_made_is_asked_again(cluster: Cluster, code: int) -> None:
    cluster.listing, cluster.committing = [code, code], [code, code]

    assert backlog.read(cluster.admin, "tags") == [Backlog(0, "one", 7)]
    listing, committing = cluster.given_s[:3], cluster.given_s[3:]
    for given_s in (listing, committing):
        assert len(given_s) == 3
        assert given_s == sorted(given_s, reverse=True), "each is given what the one before it left"
        assert given_s[-1] < given_s[0]


def test_one_that_never_comes_is_unavailable_in_time(cluster: Cluster) -> None:
    cluster.committing = [KafkaError.NOT_COORDINATOR] * 1000
    with pytest.raises(errors.GroupUnavailable, match="Not coordinator"):
        backlog.committed(cluster.admin, "one", "tags", TIMEOUT_S)
    cluster.listing = [KafkaError.COORDINATOR_NOT_AVAILABLE] * 1000
    with pytest.raises(errors.BrokerUnavailable, match="Coordinator not available"):
        backlog.read(cluster.admin, "tags", timeout_s=TIMEOUT_S)


def test_what_asking_again_does_not_mend_is_said_at_once(cluster: Cluster) -> None:
    cluster.committing = [KafkaError.GROUP_AUTHORIZATION_FAILED]
    with pytest.raises(errors.GroupUnavailable, match="authorization"):
        backlog.committed(cluster.admin, "one", "tags", TIMEOUT_S)
    cluster.listing = [KafkaError.CLUSTER_AUTHORIZATION_FAILED]
    with pytest.raises(errors.BrokerUnavailable, match="authorization"):
        backlog.read(cluster.admin, "tags", timeout_s=TIMEOUT_S)
