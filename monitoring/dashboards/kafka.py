"""Kafka: whether every partition can be written, what goes through, how long it takes, and who is behind.

Brokers tell of themselves through the JMX agent (job kafka-jmx), the groups are asked for by an exporter (job kafka).
"""

from typing import Final

from monitoring.dashboards import promql
from monitoring.dashboards.boards import Board, Objective, Panel, Query, Row

_NONE: Final = Objective(1, "below")
_TOPICS: Final = "kafka_server_brokertopicmetrics_topic"
_BROKER: Final = "{{service}}"

_HEALTH: Final = Row(
    "Can every partition be written",
    (
        Panel(
            title="Active controllers",
            description="1 is right. 0: no leader is elected any more, and no topic made. More than one for a moment "
            "only: while it changes.",
            alerts=("KafkaWithoutController",),
            queries=(
                Query("sum(max by (instance) (kafka_controller_kafkacontroller_activecontrollercount))", "controllers"),
            ),
            kind="stat",
            objective=Objective(1, "exactly"),
            width=4,
            height=5,
        ),
        Panel(
            title="Brokers missing",
            description="Of those that the layout has. Two must have an event: with one of three missing everything "
            "goes on, with two of three, or one of two, nothing can be written.",
            alerts=("KafkaBrokerMissing",),
            queries=(Query(promql.missing("kafka-jmx", 'sum(up{job="kafka-jmx"})'), "missing"),),
            kind="stat",
            objective=_NONE,
            width=5,
            height=5,
        ),
        Panel(
            title="Partitions offline",
            description="Partitions without a leader: nothing can be written to them or read from them.",
            alerts=("KafkaPartitionsOffline",),
            queries=(Query("max(kafka_controller_kafkacontroller_offlinepartitionscount)", "offline"),),
            kind="stat",
            objective=_NONE,
            width=5,
            height=5,
        ),
        Panel(
            title="Partitions below min.insync.replicas",
            description="Writes to them are refused: POST /user_tags is answered 503.",
            alerts=("KafkaBelowMinInsync",),
            queries=(Query("sum(kafka_server_replicamanager_underminisrpartitioncount)", "refused"),),
            kind="stat",
            objective=_NONE,
            width=5,
            height=5,
        ),
        Panel(
            title="Partitions under-replicated",
            description="Partitions with fewer replicas in sync than they have: a broker is away, or too slow.",
            alerts=("KafkaUnderReplicated",),
            queries=(Query("sum(kafka_server_replicamanager_underreplicatedpartitions)", "under-replicated"),),
            kind="stat",
            objective=_NONE,
            width=5,
            height=5,
        ),
    ),
)

_TRAFFIC: Final = Row(
    "What goes through",
    (
        Panel(
            title="Records written a second",
            description="By topic, at the leaders.",
            queries=(Query(promql.rate(f"{_TOPICS}_messagesin_total", by="topic"), "{{topic}}"),),
            width=6,
        ),
        Panel(
            title="Bytes written a second",
            description="By broker, at the leaders, compressed.",
            queries=(Query(promql.rate("kafka_server_brokertopicmetrics_bytesin_total", by="service"), _BROKER),),
            unit="Bps",
            width=6,
        ),
        Panel(
            title="Bytes read a second",
            description="By broker, by consumers.",
            queries=(Query(promql.rate("kafka_server_brokertopicmetrics_bytesout_total", by="service"), _BROKER),),
            unit="Bps",
            width=6,
        ),
        Panel(
            title="Refused a second",
            description="Requests answered with an error, by which. Some are ordinary: a leader that has moved.",
            queries=(
                Query(
                    promql.or_zero(
                        promql.rate('kafka_network_requestmetrics_errors_total{error!="NONE"}', by="error"),
                        label="error",
                    ),
                    "{{error}}",
                ),
            ),
            unit="reqps",
            width=6,
        ),
    ),
)

_TIME: Final = Row(
    "How long it takes",
    (
        Panel(
            title="Time of writes, 99 %",
            description="Produce requests, by broker: until every in-sync replica has it. An event's 204 waits for "
            "it.",
            queries=(
                Query(
                    'max by (service) (kafka_network_requestmetrics_totaltimems{request="Produce", quantile="0.99"})',
                    _BROKER,
                ),
            ),
            unit="ms",
            objective=Objective(200, "below"),
            width=6,
        ),
        Panel(
            title="Time of reads, 99 %",
            description="Fetch requests of consumers, by broker. They wait for records where there are none.",
            queries=(
                Query(
                    "max by (service) "
                    '(kafka_network_requestmetrics_totaltimems{request="FetchConsumer", quantile="0.99"})',
                    _BROKER,
                ),
            ),
            unit="ms",
            width=6,
        ),
        Panel(
            title="Requests waiting",
            description="In the queue of each broker. It grows where threads are busy or the disk is slow.",
            queries=(Query("sum by (service) (kafka_network_requestchannel_requestqueuesize)", _BROKER),),
            width=6,
        ),
        Panel(
            title="Idle threads",
            description="Share of their time that the network threads wait. Below a third, a broker has too much to "
            "do.",
            queries=(
                Query("avg by (service) (kafka_network_socketserver_networkprocessoravgidlepercent)", _BROKER),
            ),
            unit="percentunit",
            objective=Objective(0.3, "above"),
            highest=1,
            width=6,
        ),
    ),
)  # fmt: skip

_GROUPS: Final = Row(
    "Who is behind",
    (
        Panel(
            title="Records behind, by group",
            description="As Kafka has it, from the offsets that the groups commit. Exact positions of the aggregates "
            "are in PostgreSQL: see the pipeline's dashboard.",
            alerts=("ConsumerGroupStuck",),
            queries=(Query("sum by (consumergroup, topic) (kafka_consumergroup_lag)", "{{consumergroup}} {{topic}}"),),
            width=12,
        ),
        Panel(
            title="Members of groups",
            description="Workers that Kafka knows of.",
            queries=(Query("max by (consumergroup) (kafka_consumergroup_members)", "{{consumergroup}}"),),
            width=12,
        ),
    ),
)

_REPLICAS: Final = Row(
    "Replicas, disks, processes",
    (
        Panel(
            title="Replicas that fell behind",
            description="Times that a replica left, or came back into, those in sync.",
            queries=(
                Query(
                    promql.increase("kafka_server_replicamanager_isrshrinks_total", by="service"), "{{service}} left"
                ),
                Query(
                    promql.increase("kafka_server_replicamanager_isrexpands_total", by="service"),
                    "{{service}} came back",
                ),
            ),
            width=6,
        ),
        Panel(
            title="Bytes kept",
            description="Of each topic, by broker. Retention bounds them: KAFKA_RETENTION_HOURS.",
            queries=(Query("sum by (service, topic) (kafka_log_log_size_bytes)", "{{service}} {{topic}}"),),
            unit="bytes",
            width=6,
        ),
        Panel(
            title="Heap",
            description="Memory that Java uses in each broker.",
            queries=(Query('sum by (service) (jvm_memory_used_bytes{job="kafka-jmx", area="heap"})', _BROKER),),
            unit="bytes",
            width=6,
        ),
        Panel(
            title="CPU",
            description="Cores that each broker uses.",
            queries=(Query(promql.rate('process_cpu_seconds_total{job="kafka-jmx"}', by="service"), _BROKER),),
            unit="none",
            width=6,
        ),
    ),
)

BOARD: Final = Board(
    uid="allezone-kafka",
    title="Kafka",
    description="Whether every partition can be written, what goes through, how long it takes, who is behind.",
    rows=(_HEALTH, _TRAFFIC, _TIME, _GROUPS, _REPLICAS),
)
