"""The four promises, each one row: its title has the objective, its first panel the figure over the range shown.

That one is red where the promise is broken; the others show how it came about, with the objective drawn in as a line.
"""

from typing import Final

from monitoring.dashboards import promql
from monitoring.dashboards.boards import Objective, Panel, Query, Row

DOCUMENT: Final = "docs/operations/objectives.md"

_AVAILABLE: Final = Objective(0.999, "above")
_QUICK: Final = Objective(0.99, "above")
_FRESH: Final = Objective(0.99, "above")
_NONE: Final = Objective(1, "below")

_DECIDED: Final = 'allezone_gateway_requests_total{endpoint="/user_tags", status=~"204|5.."}'
_FAILED: Final = 'allezone_gateway_requests_total{endpoint="/user_tags", status=~"5.."}'
_DURATION: Final = "allezone_gateway_request_duration_seconds"
_PROMISED: Final = 'endpoint=~"/user_tags|/user_profiles/.*|/aggregates"'
_FRESHNESS: Final = "allezone_pipeline_freshness_seconds"
_BROKEN: Final = 'allezone_gateway_debug_answers_total{result="mismatch"}'
_LETTERS: Final = "allezone_pipeline_dead_letters_total"
_JUMPED: Final = "allezone_pipeline_jumped_offsets_total"


def _available(over: str) -> str:
    failed = promql.or_zero(promql.rate(_FAILED, over=over))
    return f"1 - ({failed}) / {promql.some(promql.rate(_DECIDED, over=over))}"


def _quick(over: str) -> str:
    within = promql.rate(f'{_DURATION}_bucket{{{_PROMISED}, le="0.2"}}', by="endpoint", over=over)
    every = promql.rate(f"{_DURATION}_count{{{_PROMISED}}}", by="endpoint", over=over)
    return f"{within} / {promql.some(every)}"


def _fresh(service: str, seconds: int, over: str) -> Query:
    within = promql.rate(f'{_FRESHNESS}_bucket{{service="{service}", le="{seconds}.0"}}', over=over)
    every = promql.rate(f'{_FRESHNESS}_count{{service="{service}"}}', over=over)
    return Query(f"{within} / {promql.some(every)}", f"{service}, within {seconds} s")


def _budget(bad: str, legend: str, allowed: float, alert: str) -> Panel:
    """How much of what an objective allows in 30 days is used up. `bad` is a recording rule's share of bad ones."""
    return Panel(
        title="Budget of 30 days used",
        description=f"Of what the objective allows to be missed in 30 days. Red, at 100 %: none is left. {DOCUMENT}.",
        alerts=(f"{alert}FastBurn", f"{alert}SlowBurn"),
        queries=(Query(f"{bad}:ratio_rate30d / {allowed}", legend),),
        kind="stat",
        unit="percentunit",
        decimals=0,
        objective=Objective(1, "below"),
        no_value="nothing yet",
        width=4,
    )


def _unseen(service: str, seconds: int) -> Panel:
    """How long the slowest writes took: a graph for each kind, for each has a line of its own."""
    selected = f'{_FRESHNESS}{{service="{service}"}}'
    return Panel(
        title=f"Time until visible in {service}",
        description=f"From a 204 until the event is in answers. The line: {seconds} s, for 99 % of writes.",
        queries=(
            Query(promql.quantile(0.99, selected), "99 % of writes within"),
            Query(promql.quantile(0.5, selected), "half of writes within"),
        ),
        unit="s",
        objective=Objective(seconds, "below"),
        width=4,
    )


_AVAILABILITY: Final = Row(
    "Promise 1, availability: at least 99.9 % of valid events that are let in are answered 204",
    (
        Panel(
            title="Promise 1 over the range shown",
            description="Answers 204 of all answers 204 and 5xx of POST /user_tags. Red, below 99.9 %: the promise "
            f"is broken. See the gateway's dashboard, and {DOCUMENT}.",
            alerts=("UserTagsAvailabilityFastBurn", "UserTagsAvailabilitySlowBurn"),
            queries=(Query(_available(promql.SHOWN), "answered 204"),),
            kind="stat",
            unit="percentunit",
            decimals=3,
            objective=_AVAILABLE,
            no_value="no events",
            width=4,
        ),
        _budget("job:allezone_gateway_user_tags_errors", "used", 0.001, "UserTagsAvailability"),
        Panel(
            title="Events answered 204",
            description="The same at each moment. The line: 99.9 %.",
            queries=(Query(_available(promql.WINDOW), "answered 204"),),
            unit="percentunit",
            objective=_AVAILABLE,
            lowest=None,
            highest=1,
            width=8,
        ),
        Panel(
            title="Events a second, by answer",
            description="POST /user_tags. 204: stored. 4xx: refused, not counted by the promise. 5xx: broken.",
            queries=(
                Query(promql.rate('allezone_gateway_requests_total{endpoint="/user_tags"}', by="status"), "{{status}}"),
            ),
            unit="reqps",
            stacked=True,
            width=8,
        ),
    ),
)

_LATENCY: Final = Row(
    "Promise 2, latency: at least 99 % of /user_tags, /user_profiles and /aggregates are answered within 200 ms",
    (
        Panel(
            title="Promise 2 over the range shown",
            description="Answers within 200 ms of all answers, by endpoint. Red, below 99 %: the promise is broken "
            f"there. See the gateway's dashboard, and {DOCUMENT}.",
            alerts=("LatencyFastBurn", "LatencySlowBurn"),
            queries=(Query(_quick(promql.SHOWN), "{{endpoint}}"),),
            kind="stat",
            unit="percentunit",
            decimals=2,
            objective=_QUICK,
            no_value="no requests",
            width=4,
        ),
        _budget("endpoint:allezone_gateway_requests_slow", "{{endpoint}}", 0.01, "Latency"),
        Panel(
            title="Answers within 200 ms",
            description="The same at each moment. The line: 99 %.",
            queries=(Query(_quick(promql.WINDOW), "{{endpoint}}"),),
            unit="percentunit",
            objective=_QUICK,
            lowest=None,
            highest=1,
            width=8,
        ),
        Panel(
            title="Time that 99 % of answers stay within",
            description="99th percentile of the time to answer. The line: 200 ms.",
            queries=(Query(promql.quantile(0.99, f"{_DURATION}{{{_PROMISED}}}", by="endpoint"), "{{endpoint}}"),),
            unit="s",
            objective=Objective(0.2, "below"),
            width=8,
        ),
    ),
)

_VISIBILITY: Final = Row(
    "Promise 3, freshness: at least 99 % of writes are visible in profiles within 10 s, in aggregates within 60 s",
    (
        Panel(
            title="Promise 3 over the range shown",
            description="Of the oldest and newest events of writes, those that were visible in time. Red, below 99 "
            f"%: the promise is broken there. See the pipeline's dashboard, and {DOCUMENT}. A worker that writes "
            "nothing at all shows on the right.",
            alerts=("FreshnessFastBurn", "FreshnessSlowBurn"),
            queries=(_fresh("profiles", 10, promql.SHOWN), _fresh("aggregates", 60, promql.SHOWN)),
            kind="stat",
            unit="percentunit",
            decimals=2,
            objective=_FRESH,
            no_value="no writes",
            width=4,
        ),
        _budget("service:allezone_pipeline_freshness_late", "{{service}}", 0.01, "Freshness"),
        Panel(
            title="Writes visible in time",
            description="The same at each moment. The line: 99 %.",
            queries=(_fresh("profiles", 10, promql.WINDOW), _fresh("aggregates", 60, promql.WINDOW)),
            unit="percentunit",
            objective=_FRESH,
            lowest=None,
            highest=1,
            width=4,
        ),
        _unseen("profiles", 10),
        _unseen("aggregates", 60),
        Panel(
            title="Records waiting",
            description="Records behind the ends of the partitions that are not stored yet, by kind of worker. It "
            "grows while a worker stands still.",
            alerts=("PipelineStalled", "PipelineBehind", "BacklogGrowing"),
            queries=(Query("sum by (service) (allezone_pipeline_lag_records)", "{{service}}"),),
            width=4,
        ),
    ),
)

_EXACTNESS: Final = Row(
    "Promise 4, exactness: 0 wrong answers, 0 records stepped over, 0 offsets jumped",
    (
        Panel(
            title="Promise 4 over the range shown",
            description="Wrong answers: queries in debug mode whose answer was not the expected one. Dead letters: "
            "records stepped over. Jumped offsets: records that Kafka had deleted before they were counted. Red, 1 "
            f"or more: the promise is broken. {DOCUMENT} says what to do about each.",
            alerts=("AnswersWrong", "DeadLettersArriving", "OffsetsJumped"),
            queries=(
                Query(promql.or_zero(promql.increase(_BROKEN, over=promql.SHOWN)), "wrong answers"),
                Query(promql.or_zero(promql.increase(_LETTERS, over=promql.SHOWN)), "dead letters"),
                Query(promql.or_zero(promql.increase(_JUMPED, over=promql.SHOWN)), "jumped offsets"),
            ),
            kind="stat",
            decimals=0,
            objective=_NONE,
            width=5,
        ),
        Panel(
            title="Wrong answers",
            description="By endpoint, in debug mode. GET /debug/mismatches shows them. The line: 1, where good ends.",
            queries=(
                Query(
                    promql.or_zero(promql.increase(_BROKEN, by="endpoint"), label="endpoint"),
                    "{{endpoint}}",
                ),
            ),
            objective=_NONE,
            width=10,
        ),
        Panel(
            title="Dead letters and jumped offsets",
            description="By reason. docs/operations/rebuild.md says how dead letters are counted after all.",
            queries=(
                Query(promql.or_zero(promql.increase(_LETTERS, by="reason"), label="reason"), "letters: {{reason}}"),
                Query(promql.or_zero(promql.increase(_JUMPED)), "offsets jumped"),
            ),
            objective=_NONE,
            width=9,
        ),
    ),
)

ROWS: Final = (_AVAILABILITY, _LATENCY, _VISIBILITY, _EXACTNESS)
