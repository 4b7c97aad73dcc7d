"""The overview: which of the four promises is broken, if any, and whom it says so about.

Each promise is one row: its title has the objective, its first panel the figure over the range shown, red where the
promise is broken, the others how that came about, with the objective as a line.
"""

from typing import Final

from monitoring.dashboards import promql
from monitoring.dashboards.boards import Board, Objective, Panel, Query, Row

_PROMISES: Final = "docs/operations/objectives.md"

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


def _unseen(service: str, seconds: int) -> Panel:
    """How long the slowest writes took: a graph for each kind, for each has a line of its own."""
    selected = f'{_FRESHNESS}{{service="{service}"}}'
    return Panel(
        title=f"Time until visible in {service}",
        description="From a 204 until the event is in answers. The line: {seconds} s, for 99 % of writes.",
        queries=(
            Query(promql.quantile(0.99, selected), "99 % of writes within"),
            Query(promql.quantile(0.5, selected), "half of writes within"),
        ),
        unit="s",
        objective=Objective(seconds, "below"),
        width=5,
    )


_AVAILABILITY: Final = Row(
    "Promise 1, availability: at least 99.9 % of valid events that are let in are answered 204",
    (
        Panel(
            title="Promise 1 over the range shown",
            description="Answers 204 of all answers 204 and 5xx of POST /user_tags. Red, below 99.9 %: the promise "
            f"is broken. See the gateway's dashboard, and {_PROMISES}.",
            queries=(Query(_available(promql.SHOWN), "answered 204"),),
            kind="stat",
            unit="percentunit",
            decimals=3,
            objective=_AVAILABLE,
            no_value="no events",
            width=5,
        ),
        Panel(
            title="Events answered 204",
            description="The same at each moment. The line: 99.9 %.",
            queries=(Query(_available(promql.WINDOW), "answered 204"),),
            unit="percentunit",
            objective=_AVAILABLE,
            lowest=None,
            highest=1,
            width=10,
        ),
        Panel(
            title="Events a second, by answer",
            description="POST /user_tags. 204: stored. 4xx: refused, not counted by the promise. 5xx: broken.",
            queries=(
                Query(promql.rate('allezone_gateway_requests_total{endpoint="/user_tags"}', by="status"), "{{status}}"),
            ),
            unit="reqps",
            stacked=True,
            width=9,
        ),
    ),
)

_LATENCY: Final = Row(
    "Promise 2, latency: at least 99 % of /user_tags, /user_profiles and /aggregates are answered within 200 ms",
    (
        Panel(
            title="Promise 2 over the range shown",
            description="Answers within 200 ms of all answers, by endpoint. Red, below 99 %: the promise is broken "
            f"there. See the gateway's dashboard, and {_PROMISES}.",
            queries=(Query(_quick(promql.SHOWN), "{{endpoint}}"),),
            kind="stat",
            unit="percentunit",
            decimals=2,
            objective=_QUICK,
            no_value="no requests",
            width=5,
        ),
        Panel(
            title="Answers within 200 ms",
            description="The same at each moment. The line: 99 %.",
            queries=(Query(_quick(promql.WINDOW), "{{endpoint}}"),),
            unit="percentunit",
            objective=_QUICK,
            lowest=None,
            highest=1,
            width=10,
        ),
        Panel(
            title="Time that 99 % of answers stay within",
            description="99th percentile of the time to answer. The line: 200 ms.",
            queries=(Query(promql.quantile(0.99, f"{_DURATION}{{{_PROMISED}}}", by="endpoint"), "{{endpoint}}"),),
            unit="s",
            objective=Objective(0.2, "below"),
            width=9,
        ),
    ),
)

_VISIBILITY: Final = Row(
    "Promise 3, freshness: at least 99 % of writes are visible in profiles within 10 s, in aggregates within 60 s",
    (
        Panel(
            title="Promise 3 over the range shown",
            description="Of the oldest and newest events of writes, those that were visible in time. Red, below 99 "
            f"%: the promise is broken there. See the pipeline's dashboard, and {_PROMISES}. A worker that writes "
            "nothing at all shows on the right.",
            queries=(_fresh("profiles", 10, promql.SHOWN), _fresh("aggregates", 60, promql.SHOWN)),
            kind="stat",
            unit="percentunit",
            decimals=2,
            objective=_FRESH,
            no_value="no writes",
            width=5,
        ),
        Panel(
            title="Writes visible in time",
            description="The same at each moment. The line: 99 %.",
            queries=(_fresh("profiles", 10, promql.WINDOW), _fresh("aggregates", 60, promql.WINDOW)),
            unit="percentunit",
            objective=_FRESH,
            lowest=None,
            highest=1,
            width=5,
        ),
        _unseen("profiles", 10),
        _unseen("aggregates", 60),
        Panel(
            title="Records waiting",
            description="Records behind the ends of the partitions that are not stored yet, by kind of worker. It "
            "grows while a worker stands still.",
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
            f"or more: the promise is broken. {_PROMISES} says what to do about each.",
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

_ALARMS: Final = Row(
    "Alerts and targets",
    (
        Panel(
            title="Alerts firing",
            description="docs/operations/alerts.md has a page for each.",
            queries=(Query(promql.or_zero('count(ALERTS{alertstate="firing"})'), "firing"),),
            kind="stat",
            objective=_NONE,
            width=5,
        ),
        Panel(
            title="Which",
            description="Alerts that fire now, and how many series each is about. docs/operations/alerts.md has a "
            "page for each.",
            queries=(
                Query(
                    promql.or_zero(
                        'count by (alertname, severity, service) (ALERTS{alertstate="firing"})', label="alertname"
                    )
                ),
            ),
            kind="table",
            width=10,
        ),
        Panel(
            title="Targets that answer",
            description="By job: what Prometheus finds and reads. What is gone has no target any more, and is "
            "counted against what is expected by the alert TargetMissing.",
            queries=(Query("sum by (job) (up)", "{{job}}"),),
            width=9,
        ),
    ),
)

BOARD: Final = Board(
    uid="allezone-overview",
    title="overview",
    description="The four promises, a row each: red in the first panel of a row means that this promise is broken in "
    f"the range shown. {_PROMISES} has their words.",
    rows=(_AVAILABILITY, _LATENCY, _VISIBILITY, _EXACTNESS, _ALARMS),
)
