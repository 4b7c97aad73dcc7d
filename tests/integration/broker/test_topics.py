"""Topics on a real broker."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]
from structlog.testing import capture_logs

from broker import connections, errors, topics
from devstack.kafka import KafkaServer
from tests.support import topics as test_topics


def _make_by_hand(kafka: KafkaServer, topic: str, **config: str) -> None:
    admin = connections.Admin(kafka.bootstrap)
    new = NewTopic(topic, num_partitions=2, replication_factor=1, config=config)
    admin.create_topics([new])[topic].result(20)


def test_ensure_makes_the_topic_once_and_finds_it_again(kafka: KafkaServer, topic: str) -> None:
    settings = test_topics.settings(kafka, topic, partitions=3)

    first, second = topics.ensure(settings), topics.ensure(settings)

    assert first == second
    assert (first.name, first.partitions, first.replication) == (topic, 3, 1)


def test_of_several_that_ensure_at_once_all_get_the_same_topic(kafka: KafkaServer, topic: str) -> None:
    settings = test_topics.settings(kafka, topic)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: topics.ensure(settings), range(8)))

    assert len({each.id for each in found}) == 1


def test_a_topic_made_here_keeps_events_whose_time_lies_years_back(kafka: KafkaServer, topic: str) -> None:
    test_topics.make(kafka, topic)

    configs = topics.configs(connections.Admin(kafka.bootstrap), topic)

    assert configs["message.timestamp.type"] == "LogAppendTime"
    assert configs["unclean.leader.election.enable"] == "false"
    assert configs["retention.ms"] == str(168 * 3_600_000)


@pytest.mark.parametrize(("name", "value"), [("message.timestamp.type", "CreateTime"), ("cleanup.policy", "compact")])
def test_a_topic_that_would_lose_events_is_refused_with_the_command_that_mends_it(
    kafka: KafkaServer, topic: str, name: str, value: str
) -> None:
    config = {"message.timestamp.type": "LogAppendTime"} | {name: value}
    _make_by_hand(kafka, topic, **config)

    with pytest.raises(errors.TopicMisconfigured, match=f"{name}={value}.*kafka-configs --alter.*{topic}"):
        topics.ensure(test_topics.settings(kafka, topic))


def test_a_topic_with_fewer_partitions_than_asked_for_is_used_with_a_warning(kafka: KafkaServer, topic: str) -> None:
    _make_by_hand(kafka, topic, **{"message.timestamp.type": "LogAppendTime"})

    with capture_logs() as logs:
        found = topics.ensure(test_topics.settings(kafka, topic, partitions=5))

    assert found.partitions == 2
    assert [(log["what"], log["has"], log["asked"]) for log in logs] == [("partitions", 2, 5)]


def test_more_replicas_than_brokers_is_a_sentence_that_says_what_to_set(kafka: KafkaServer, topic: str) -> None:
    settings = test_topics.settings(kafka, topic).model_copy(update={"kafka_replication": 3})

    with pytest.raises(errors.TopicMisconfigured, match="set KAFKA_REPLICATION"):
        topics.ensure(settings)


def test_more_in_sync_replicas_than_replicas_is_refused_before_anything_is_made(kafka: KafkaServer, topic: str) -> None:
    settings = test_topics.settings(kafka, topic).model_copy(update={"kafka_min_insync": 2})

    with pytest.raises(errors.TopicMisconfigured, match="takes no event at all"):
        topics.ensure(settings)
    with pytest.raises(errors.TopicMissing):
        topics.topic_id(kafka.bootstrap, topic)


def test_a_topic_deleted_and_made_anew_has_another_id(kafka: KafkaServer, topic: str) -> None:
    test_topics.make(kafka, topic)
    before = topics.topic_id(kafka.bootstrap, topic)
    admin = connections.Admin(kafka.bootstrap)
    admin.delete_topics([topic])[topic].result(20)

    test_topics.make(kafka, topic)

    assert topics.topic_id(kafka.bootstrap, topic) != before


def test_a_missing_topic_is_named(kafka: KafkaServer, topic: str) -> None:
    with pytest.raises(errors.TopicMissing, match=topic):
        topics.topic_id(kafka.bootstrap, topic)
    with pytest.raises(errors.TopicMissing, match=topic):
        topics.offsets(kafka.bootstrap, topic)


def test_a_new_topic_is_empty_in_every_partition(kafka: KafkaServer, topic: str) -> None:
    test_topics.make(kafka, topic, partitions=3)

    assert topics.offsets(kafka.bootstrap, topic) == {0: (0, 0), 1: (0, 0), 2: (0, 0)}


def test_without_a_broker_the_question_ends_within_its_time() -> None:
    with pytest.raises(errors.BrokerUnavailable):
        topics.topic_id("127.0.0.1:1", "anything", timeout_s=1)
