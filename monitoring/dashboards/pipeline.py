"""The pipeline: how far behind the workers are, what they write, and what went wrong on the way."""

from typing import Final

from monitoring.dashboards import processes, promql
from monitoring.dashboards.boards import Board, Objective, Panel, Query, Row, Variable

_CHOSEN: Final = '{service=~"$service"}'
_RECORDS: Final = f"allezone_pipeline_records_total{_CHOSEN}"
_FRESHNESS: Final = f"allezone_pipeline_freshness_seconds{_CHOSEN}"
_FLUSH: Final = f"allezone_pipeline_flush_seconds{_CHOSEN}"
_NONE: Final = Objective(1, "below")

_BEHIND: Final = Row(
    "How far behind",
    (
        Panel(
            title="Time until visible, 99 % of writes",
            description="From a 204 until the event is in answers, of the oldest and newest event of each write. The "
            "line: 10 s, what profiles have; aggregates have 60 s.",
            alerts=("FreshnessFastBurn", "FreshnessSlowBurn"),
            queries=(Query(promql.quantile(0.99, _FRESHNESS, by="service"), "{{service}}"),),
            unit="s",
            objective=Objective(10, "below"),
            width=6,
        ),
        Panel(
            title="Records waiting",
            description="Behind the ends of the partitions, not stored yet.",
            alerts=("PipelineBehind", "BacklogGrowing"),
            queries=(Query(f"sum by (service) (allezone_pipeline_lag_records{_CHOSEN})", "{{service}}"),),
            width=6,
        ),
        Panel(
            title="Records waiting, by partition",
            description="One that grows alone: its worker stands still, or nobody has it.",
            queries=(
                Query(
                    f"max by (service, partition) (allezone_pipeline_lag_records{_CHOSEN})", "{{service}} {{partition}}"
                ),
            ),
            width=6,
        ),
        Panel(
            title="Age of the newest event stored",
            description="By the event's own time, so of a test stream with times of years ago it is years. In "
            "production it grows while nothing is stored.",
            queries=(
                Query(
                    f"time() - max by (service) (allezone_pipeline_watermark_timestamp_seconds{_CHOSEN})", "{{service}}"
                ),
            ),
            unit="s",
            lowest=None,
            width=6,
        ),
        Panel(
            title="Since the last write",
            description="The longest of each kind. It grows while there is no traffic, too: look at the records "
            "waiting.",
            alerts=("PipelineStalled",),
            queries=(
                Query(
                    f"time() - min by (service) (allezone_pipeline_stored_timestamp_seconds{_CHOSEN} > 0)",
                    "{{service}}",
                ),
            ),
            unit="s",
            width=6,
        ),
        Panel(
            title="Next offset to count",
            description="By partition. One that does not move while others do: see the records waiting.",
            queries=(
                Query(
                    f"max by (service, partition) (allezone_pipeline_next_offset{_CHOSEN})", "{{service}} {{partition}}"
                ),
            ),
            width=6,
        ),
        Panel(
            title="Partitions taken up",
            description="Rebalances: a worker came, went or was thought gone.",
            alerts=("PipelineRebalancing",),
            queries=(
                Query(promql.increase(f"allezone_pipeline_placements_total{_CHOSEN}", by="service"), "{{service}}"),
            ),
            width=6,
        ),
        Panel(
            title="Asked again and again",
            description="Questions to a store or broker that have failed and are asked again, of the worker that has "
            "most of them. It keeps all that it has meanwhile. The line: 1, where good ends.",
            alerts=("PipelineRetrying",),
            queries=(Query(f"max by (service) (allezone_pipeline_retrying{_CHOSEN})", "{{service}}"),),
            objective=_NONE,
            width=6,
        ),
    ),
)

_WORK: Final = Row(
    "Records in, writes out",
    (
        Panel(
            title="Records a second",
            description="Counted into a write, or handed to a store.",
            queries=(Query(promql.rate(_RECORDS, by="service"), "{{service}}"),),
            width=6,
        ),
        Panel(
            title="Records of a batch",
            description="The mean: small where little is waiting, thousands where a worker catches up.",
            queries=(
                Query(promql.mean(f"allezone_pipeline_batch_records{_CHOSEN}", by="service"), "{{service}}"),
            ),
            width=6,
        ),
        Panel(
            title="Time to write",
            description="One write until it was stored, retries included.",
            queries=(
                Query(promql.quantile(0.5, _FLUSH, by="service"), "{{service}}, half within"),
                Query(promql.quantile(0.99, _FLUSH, by="service"), "{{service}}, 99 % within"),
            ),
            unit="s",
            width=6,
        ),
        Panel(
            title="Rows of a write",
            description="The mean.",
            queries=(Query(promql.mean(f"allezone_pipeline_flush_rows{_CHOSEN}", by="service"), "{{service}}"),),
            width=6,
        ),
    ),
)  # fmt: skip

_TROUBLE: Final = Row(
    "What went wrong",
    (
        Panel(
            title="Dead letters",
            description="Records stepped over, by reason. docs/operations/rebuild.md says how they are counted after "
            "all. The line: 1, where good ends.",
            alerts=("DeadLettersArriving",),
            queries=(
                Query(
                    promql.or_zero(
                        promql.increase(f"allezone_pipeline_dead_letters_total{_CHOSEN}", by="service, reason"),
                        label="reason",
                    ),
                    "{{service}} {{reason}}",
                ),
            ),
            objective=_NONE,
            width=6,
        ),
        Panel(
            title="Jumped offsets",
            description="Records that Kafka had deleted before they were counted: lost for this kind of worker. The "
            "line: 1, where good ends.",
            alerts=("OffsetsJumped",),
            queries=(
                Query(promql.increase(f"allezone_pipeline_jumped_offsets_total{_CHOSEN}", by="service"), "{{service}}"),
            ),
            objective=_NONE,
            width=6,
        ),
        Panel(
            title="Replays cut off, gaps fetched again",
            description="Records that came a second time and were not counted again, and gaps that were noticed: "
            "normal after a rebalance or a failover.",
            queries=(
                Query(
                    promql.increase(f"allezone_pipeline_replayed_records_total{_CHOSEN}", by="service"),
                    "{{service}}: records replayed",
                ),
                Query(
                    promql.increase(f"allezone_pipeline_seeks_back_total{_CHOSEN}", by="service"),
                    "{{service}}: gaps",
                ),
            ),
            width=6,
        ),
        Panel(
            title="Writes asked again, given up, settled",
            description="Retries of questions to PostgreSQL or Kafka; writes given up for a new place in the log; "
            "writes after which other offsets were stored than their own: failovers, and workers thought gone.",
            alerts=("WritesSettledElsewhere",),
            queries=(
                Query(
                    promql.increase(f"allezone_pipeline_retries_total{_CHOSEN}", by="service"), "{{service}}: retries"
                ),
                Query(
                    promql.increase(f"allezone_pipeline_abandoned_writes_total{_CHOSEN}", by="service"),
                    "{{service}}: given up",
                ),
                Query(
                    promql.increase(f"allezone_pipeline_settled_elsewhere_total{_CHOSEN}", by="service"),
                    "{{service}}: settled elsewhere",
                ),
            ),
            width=6,
        ),
    ),
)

_HOURS: Final = Row(
    "Hours of aggregates",
    (
        Panel(
            title="Hours made ahead",
            description="How far past now there are tables to count into. Where it falls to 0, events wait until "
            "theirs is made.",
            alerts=("HoursMissingAhead",),
            queries=(Query("max(allezone_pipeline_hours_ahead_seconds)", "ahead"),),
            unit="s",
            lowest=None,
        ),
        Panel(
            title="Retention behind",
            description="How much older than it should be the oldest hour is. It grows where hours cannot be dropped.",
            alerts=("RetentionBehind",),
            queries=(Query("max(allezone_pipeline_retention_behind_seconds)", "behind"),),
            unit="s",
        ),
        Panel(
            title="Hours dropped",
            description="By retention.",
            queries=(Query(promql.increase("allezone_pipeline_hours_dropped_total"), "dropped"),),
        ),
    ),
)

BOARD: Final = Board(
    uid="allezone-pipeline",
    title="pipeline",
    description="The workers that count events into PostgreSQL (aggregates) and keep users' histories (profiles): "
    "how far behind they are, what they write, what went wrong.",
    rows=(_BEHIND, _WORK, _TROUBLE, _HOURS, processes.row("workers", selector=', service=~"$service"')),
    variables=(Variable("service", "Workers", "allezone_pipeline_records_total"),),
)
