"""The four promises, each one row: its title has the objective, its first panels say whether it is kept.

They are called after the promise, and red where it is broken: the first over the range shown, others now, for what is
not answered or not written at all is in no share. The rest shows how it came about, with the objective as a line.
"""

from typing import Final

from monitoring.dashboards import promql
from monitoring.dashboards.boards import Objective, Panel, Query, Row

DOCUMENT: Final = "docs/operations/objectives.md"

_AVAILABLE: Final = Objective(0.999, "above")
_QUICK: Final = Objective(0.99, "above")
_FRESH: Final = Objective(0.99, "above")
_READY: Final = Objective(1, "above")
_NONE: Final = Objective(1, "below")

_DECIDED: Final = 'allezone_gateway_requests_total{endpoint="/user_tags", status=~"204|5.."}'
_FAILED: Final = 'allezone_gateway_requests_total{endpoint="/user_tags", status=~"5.."}'
_EDGE: Final = 'service="edge", proxy="events"'
_DURATION: Final = "allezone_gateway_request_duration_seconds"
_PROMISED: Final = 'endpoint=~"/user_tags|/user_profiles/.*|/aggregates"'
_QUERY_FAILED: Final = 'allezone_gateway_requests_total{endpoint=~"/user_profiles/.*|/aggregates", status=~"5.."}'
_FRESHNESS: Final = "allezone_pipeline_freshness_seconds"
_WAITING: Final = "service:allezone_pipeline_waiting:seconds"
_LAG: Final = "service:allezone_pipeline_lag:seconds"
_BROKEN: Final = 'allezone_gateway_debug_answers_total{result="mismatch"}'
_LETTERS: Final = "allezone_pipeline_dead_letters_total"
_JUMPED: Final = "allezone_pipeline_jumped_offsets_total"


def _edge(codes: str, over: str) -> str:
    return promql.rate(f'haproxy_backend_http_responses_total{{{_EDGE}, code=~"{codes}"}}', over=over)


def _available(over: str) -> str:
    """As the edge has it, which answers by itself where no gateway does; without an edge, as the gateways have it."""
    at_edge = f"1 - {_edge('5xx', over)} / {promql.some(_edge('2xx|5xx', over))}"
    failed = promql.or_zero(promql.rate(_FAILED, over=over))
    return f"{at_edge} or on() 1 - ({failed}) / {promql.some(promql.rate(_DECIDED, over=over))}"


def _ready() -> str:
    """How many gateways take events: as the edge says that has the fewest; 0 where there should be one and is none.

    And 0 where no client gets as far as that: no edge shakes hands, or the certificate has run out, which the probe
    does not mind. Where there is no probe, edges are taken to be reached.
    """
    probed = 'max(probe_success{job="certificate"}) or vector(1)'
    valid = 'max(probe_ssl_earliest_cert_expiry{job="certificate"}) > bool time() or vector(1)'
    fewest = 'min(haproxy_backend_active_servers{service="edge", proxy=~"events|gateways"})'
    at_edge = f"{fewest} * ({probed}) * ({valid})"
    without_edge = '0 * sum(allezone:targets_expected{job="haproxy", service="edge"})'
    themselves = 'sum(allezone_gateway_dependency_up{dependency="kafka"})'
    return promql.or_zero(f"{at_edge} or on() {without_edge} or on() {themselves}")


def _of_no_gateway() -> str:
    failed = promql.or_zero(promql.rate(_FAILED))
    return promql.or_zero(f"clamp_min({_edge('5xx', promql.WINDOW)} - ({failed}), 0)")


def _quick(over: str) -> str:
    """By endpoint. A query that failed is not answered, however quickly; of events that is promise 1."""
    within = promql.rate(f'{_DURATION}_bucket{{{_PROMISED}, le="0.2"}}', by="endpoint", over=over)
    every = promql.rate(f"{_DURATION}_count{{{_PROMISED}}}", by="endpoint", over=over)
    failed = promql.rate(_QUERY_FAILED, by="endpoint", over=over)
    whole = f'label_replace(clamp_min({every} - {failed}, 0), "why", "failed", "", "")'
    # The fewer of the two: how many of those that failed were late as well is not known.
    return f"min by (endpoint) ({within} or {whole}) / {promql.some(every)}"


def _fresh(service: str, seconds: int, over: str) -> Query:
    within = promql.rate(f'{_FRESHNESS}_bucket{{service="{service}", le="{seconds}.0"}}', over=over)
    every = promql.rate(f'{_FRESHNESS}_count{{service="{service}"}}', over=over)
    return Query(f"{within} / {promql.some(every)}", f"{service}, within {seconds} s")


def _oldest(service: str) -> str:
    """In seconds. Where neither workers nor Kafka's exporter say it, and events come: since a worker has stored any."""
    stored = f'max(max_over_time(allezone_pipeline_stored_timestamp_seconds{{service="{service}"}}[1h]))'
    coming = 'sum(increase(allezone_gateway_requests_total{endpoint="/user_tags", status="204"}[5m])) > 0'
    return f'max({_WAITING}{{service="{service}"}}) or on() time() - {stored} and on() {coming}'


def _behind(service: str) -> str:
    """Seconds of traffic that wait, of all workers: also where some store and others do not. Nothing without workers.

    For a minute on: at the first events of a while the traffic is not known yet.
    """
    return f'max(min_over_time({_LAG}{{service="{service}"}}[1m]))'


def _in_time(service: str, seconds: int) -> Query:
    """The share of the time in which no record had waited, and no worker been behind, for longer than is promised."""
    stored = f'(max({_WAITING}{{service="{service}"}}) <= bool {seconds})'
    kept_up = f"({_behind(service)} <= bool {seconds} or on() vector(1))"
    return Query(f"avg_over_time(({stored} * {kept_up})[{promql.SHOWN}:])", f"{service}, of the time")


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


def _waiting(service: str, seconds: int) -> Panel:
    """How old the oldest event is that is not visible yet: figures of each kind, for each has an objective.

    While nothing is stored it is the clock that says it; while some workers store it is what waits for the others.
    """
    return Panel(
        title=f"Promise 3 now: {service}",
        description="Nothing stored for: records wait, and for so long no worker of this kind has stored any, also "
        "where none is left. Behind by: what waits, in seconds of the traffic, also where only some workers store; "
        f"the first figure again where none is left. Red, from {seconds} s on: the promise is broken now.",
        alerts=("PipelineStalled", "PipelineBehind", "ServiceGone"),
        queries=(
            Query(_oldest(service), "nothing stored for"),
            Query(f"{_behind(service)} or on() {_oldest(service)}", "behind by"),
        ),
        kind="stat",
        unit="s",
        objective=Objective(seconds, "below"),
        no_value="unknown",
        width=4,
    )


def _unseen(service: str, seconds: int) -> Panel:
    """How long the slowest writes took: a graph for each kind, for each has a line of its own."""
    selected = f'{_FRESHNESS}{{service="{service}"}}'
    return Panel(
        title=f"Time until visible in {service}",
        description=f"From a 204 until the event is in answers. The line: {seconds} s, for 99 % of writes. Where "
        "nothing is written, the time since the last write grows, and where some workers write nothing, what waits.",
        queries=(
            Query(promql.quantile(0.99, selected), "99 % of writes within"),
            Query(promql.quantile(0.5, selected), "half of writes within"),
            Query(_oldest(service), "nothing stored for"),
            Query(_behind(service), "behind by"),
        ),
        unit="s",
        objective=Objective(seconds, "below"),
        width=8,
    )


_AVAILABILITY: Final = Row(
    "Promise 1, availability: at least 99.9 % of valid events that are let in are answered 204",
    (
        Panel(
            title="Promise 1 over the range shown",
            description="Answers 204 of all answers 204 and 5xx of POST /user_tags, those that the edge gave itself "
            "among them. Red, below 99.9 %: the promise is broken. See the gateway's dashboard, and "
            f"{DOCUMENT}.",
            alerts=("UserTagsAvailabilityFastBurn", "UserTagsAvailabilitySlowBurn"),
            queries=(Query(_available(promql.SHOWN), "answered 204"),),
            kind="stat",
            unit="percentunit",
            decimals=3,
            objective=_AVAILABLE,
            no_value="no events",
            width=4,
        ),
        Panel(
            title="Promise 1 now",
            description="Gateways that are ready to take events, as the edge sees them that sees the fewest, and 0 "
            "where no edge shakes hands or the certificate has run out; on one machine, without an edge, those that "
            "reach Kafka. Red, 0: events are answered 503, or not at all.",
            alerts=(
                "EdgeWithoutGateways",
                "EdgeHandshakeFails",
                "EdgeCertificateExpiresSoon",
                "DependencyDown",
                "ServiceGone",
            ),
            queries=(Query(_ready(), "ready"),),
            kind="stat",
            decimals=0,
            objective=_READY,
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
            width=6,
        ),
        Panel(
            title="Events a second, by answer",
            description="POST /user_tags. 204: stored. 4xx: refused, not counted by the promise. 5xx: broken. no "
            "gateway: what the edge answered 5xx and no gateway did.",
            queries=(
                Query(promql.rate('allezone_gateway_requests_total{endpoint="/user_tags"}', by="status"), "{{status}}"),
                Query(_of_no_gateway(), "no gateway"),
            ),
            unit="reqps",
            stacked=True,
            width=6,
        ),
    ),
)

_LATENCY: Final = Row(
    "Promise 2, latency: at least 99 % of /user_tags, /user_profiles and /aggregates are answered within 200 ms",
    (
        Panel(
            title="Promise 2 over the range shown",
            description="Answers within 200 ms of all answers, by endpoint; a query that gets a 5xx is not answered, "
            "however quickly. Red, below 99 %: the promise is broken there. See the gateway's dashboard, and "
            f"{DOCUMENT}.",
            alerts=("LatencyFastBurn", "LatencySlowBurn", "QueriesFailing"),
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
            description="99th percentile of the time to answer, of 5xx too. The line: 200 ms.",
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
            description="Of the oldest and newest events of writes, those that were visible in time; and of the time, "
            "that in which no worker was behind by more, for what is not written is no write. Red, below 99 %: the "
            f"promise is broken there. See the pipeline's dashboard, and {DOCUMENT}.",
            alerts=("FreshnessFastBurn", "FreshnessSlowBurn"),
            queries=(
                _fresh("profiles", 10, promql.SHOWN),
                _in_time("profiles", 10),
                _fresh("aggregates", 60, promql.SHOWN),
                _in_time("aggregates", 60),
            ),
            kind="stat",
            unit="percentunit",
            decimals=2,
            objective=_FRESH,
            no_value="no writes",
            width=4,
        ),
        _waiting("profiles", 10),
        _waiting("aggregates", 60),
        _budget("service:allezone_pipeline_freshness_late", "{{service}}", 0.01, "Freshness"),
        Panel(
            title="Writes visible in time",
            description="The same at each moment. The line: 99 %.",
            queries=(_fresh("profiles", 10, promql.WINDOW), _fresh("aggregates", 60, promql.WINDOW)),
            unit="percentunit",
            objective=_FRESH,
            lowest=None,
            highest=1,
            width=8,
        ),
        _unseen("profiles", 10),
        _unseen("aggregates", 60),
        Panel(
            title="Records waiting",
            description="Records behind the ends of the partitions that are not stored yet, by kind of worker. It "
            "grows while a worker stands still, and is not there while none runs.",
            alerts=("PipelineStalled", "PipelineBehind", "BacklogGrowing"),
            queries=(Query("sum by (service) (allezone_pipeline_lag_records)", "{{service}}"),),
            width=8,
        ),
    ),
)

_EXACTNESS: Final = Row(
    "Promise 4, exactness: 0 wrong answers, 0 records stepped over, 0 offsets jumped",
    (
        Panel(
            title="Promise 4 over the range shown",
            description="Wrong answers: queries in debug mode whose answer was not the expected one. Dead letters: "
            "records stepped over. Jumped offsets: records that Kafka had deleted before they were counted. Also "
            "what a process counted before it was read for the first time. Red, 1 "
            f"or more: the promise is broken. {DOCUMENT} says what to do about each.",
            alerts=("AnswersWrong", "DeadLettersArriving", "OffsetsJumped"),
            queries=(
                Query(promql.or_zero(promql.counted(_BROKEN)), "wrong answers"),
                Query(promql.or_zero(promql.counted(_LETTERS)), "dead letters"),
                Query(promql.or_zero(promql.counted(_JUMPED)), "jumped offsets"),
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
