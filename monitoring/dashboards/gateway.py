"""The gateway: what is asked of it, how long it takes, what it refuses, and what it waits for."""

from typing import Final

from monitoring.dashboards import processes, promql
from monitoring.dashboards.boards import Board, Objective, Panel, Query, Row

_REQUESTS: Final = "allezone_gateway_requests_total"
_FAILED: Final = 'allezone_gateway_requests_total{status=~"5.."}'
_DURATION: Final = "allezone_gateway_request_duration_seconds"
_NO_ERRORS: Final = Objective(0.001, "below")

_TRAFFIC: Final = Row(
    "Requests: rate, errors, duration",
    (
        Panel(
            title="Requests a second",
            description="By endpoint, whatever the answer.",
            queries=(Query(promql.rate(_REQUESTS, by="endpoint"), "{{endpoint}}"),),
            unit="reqps",
        ),
        Panel(
            title="Answers a second, by status",
            description="2xx: done. 4xx: the client's mistake, or refused. 5xx: ours.",
            queries=(Query(promql.rate(_REQUESTS, by="status"), "{{status}}"),),
            unit="reqps",
            stacked=True,
        ),
        Panel(
            title="Share of answers that are 5xx",
            description="By endpoint. The line: 0.1 %, what the first promise leaves for POST /user_tags.",
            queries=(
                Query(
                    f"{promql.rate(_FAILED, by='endpoint')} / {promql.some(promql.rate(_REQUESTS, by='endpoint'))}",
                    "{{endpoint}}",
                ),
            ),
            unit="percentunit",
            objective=_NO_ERRORS,
        ),
        Panel(
            title="Time that half of the answers stay within",
            description="By endpoint. An answer to POST /user_tags waits for all in-sync replicas of Kafka.",
            queries=(Query(promql.quantile(0.5, _DURATION, by="endpoint"), "{{endpoint}}"),),
            unit="s",
        ),
        Panel(
            title="Time that 99 % of the answers stay within",
            description="By endpoint. The line: 200 ms, the second promise.",
            queries=(Query(promql.quantile(0.99, _DURATION, by="endpoint"), "{{endpoint}}"),),
            unit="s",
            objective=Objective(0.2, "below"),
        ),
        Panel(
            title="Requests a second, by gateway",
            description="How evenly the edge spreads them.",
            queries=(Query(promql.rate(_REQUESTS, by="instance"), "{{instance}}"),),
            unit="reqps",
        ),
    ),
)

_EVENTS: Final = Row(
    "Events: accepted, invalid, not stored",
    (
        Panel(
            title="Events accepted a second",
            description="POST /user_tags answered 204: durable in Kafka.",
            queries=(Query(promql.rate(f'{_REQUESTS}{{endpoint="/user_tags", status="204"}}'), "accepted"),),
            unit="reqps",
            width=6,
        ),
        Panel(
            title="Invalid events a second",
            description="POST /user_tags answered 4xx, by what was wrong with the event.",
            alerts=("EventsInvalid",),
            queries=(
                Query(
                    promql.or_zero(
                        promql.rate("allezone_gateway_events_invalid_total", by="reason"),
                        label="reason",
                    ),
                    "{{reason}}",
                ),
            ),
            unit="reqps",
            width=6,
        ),
        Panel(
            title="Events not stored a second",
            description="POST /user_tags answered 503, by why. no: never handed to Kafka, may be sent again. "
            "unknown: may have been stored.",
            alerts=("UserTagsAvailabilityFastBurn",),
            queries=(
                Query(
                    promql.or_zero(
                        promql.rate("allezone_gateway_events_unstored_total", by="stored, reason"),
                        label="reason",
                    ),
                    "{{stored}}: {{reason}}",
                ),
            ),
            unit="reqps",
            width=6,
        ),
        Panel(
            title="Events waiting for Kafka",
            description="Handed over, not acknowledged yet, of the fullest gateway. At the limit new ones are refused.",
            alerts=("EventsInFlightNearLimit",),
            queries=(
                Query("max(allezone_gateway_events_in_flight)", "waiting"),
                Query("min(allezone_gateway_events_in_flight_limit)", "limit"),
            ),
            width=6,
        ),
    ),
)

_DOOR: Final = Row(
    "Refused and failed",
    (
        Panel(
            title="Refused at the door a second",
            description="401, 403 and 429, by why, and by the name of the client's token. docs/security.md says what "
            "each needs.",
            alerts=("ClientsTurnedAway",),
            queries=(
                Query(
                    promql.or_zero(promql.rate("allezone_gateway_refused_total", by="reason, client"), label="reason"),
                    "{{reason}} {{client}}",
                ),
            ),
            unit="reqps",
            width=6,
        ),
        Panel(
            title="Queries failed a second",
            description="Queries answered 503, by endpoint and kind of error: a store that does not answer.",
            alerts=("QueriesFailing",),
            queries=(
                Query(
                    promql.or_zero(
                        promql.rate("allezone_gateway_query_failures_total", by="endpoint, error"),
                        label="error",
                    ),
                    "{{endpoint}} {{error}}",
                ),
            ),
            unit="reqps",
            width=6,
        ),
        Panel(
            title="Gateways that reach what they need",
            description="The share of gateways whose last probe was answered, by what was probed. Below 1: some do "
            "not reach it, 0: none does.",
            alerts=("DependencyDown", "DependencyDownForSome"),
            queries=(Query("avg by (dependency) (allezone_gateway_dependency_up)", "{{dependency}}"),),
            objective=Objective(1, "above"),
            unit="percentunit",
            highest=1,
            width=6,
        ),
        Panel(
            title="Debug mode: answers compared a second",
            description="By result. Any but match is a broken promise 4. Nothing while DEBUG_QUERIES is off.",
            alerts=("AnswersWrong",),
            queries=(
                Query(
                    promql.or_zero(promql.rate("allezone_gateway_debug_answers_total", by="result"), label="result"),
                    "{{result}}",
                ),
            ),
            unit="reqps",
            width=6,
        ),
        Panel(
            title="File of tokens",
            description="1: some gateway cannot use the file of tokens as it is now, and goes on with those read "
            "before.",
            alerts=("TokensFileBroken",),
            queries=(Query("max(allezone_gateway_tokens_file_broken)", "broken"),),
            kind="stat",
            objective=Objective(1, "below"),
            width=6,
            height=4,
        ),
    ),
)

_EDGE: Final = Row(
    "The edge before them",
    (
        Panel(
            title="Answers a second at the edge",
            description="By status, those that the edge gives itself among them: no gateway is ready, too many "
            "requests.",
            alerts=("EdgeErrors", "EdgeConnectionsNearLimit"),
            queries=(
                Query(
                    promql.rate('haproxy_frontend_http_responses_total{service="edge", proxy="public"}', by="code"),
                    "{{code}}",
                ),
            ),
            unit="reqps",
            stacked=True,
        ),
        Panel(
            title="Gateways that are ready",
            description="As each edge sees them, for events and for all else; the fewest. 0: events, or all else, are "
            "answered 503.",
            alerts=("EdgeWithoutGateways",),
            queries=(Query('min(haproxy_backend_active_servers{service="edge", proxy=~"events|gateways"})', "ready"),),
            objective=Objective(1, "above"),
        ),
        Panel(
            title="Certificate",
            description="How long the edge's certificate is still good. Red: less than two weeks.",
            alerts=("EdgeCertificateExpires", "EdgeCertificateExpiresSoon", "EdgeHandshakeFails"),
            queries=(Query('min(probe_ssl_earliest_cert_expiry{job="certificate"}) - time()', "left"),),
            kind="stat",
            unit="s",
            lowest=None,
            objective=Objective(14 * 86_400, "above"),
        ),
    ),
)

BOARD: Final = Board(
    uid="allezone-gateway",
    title="gateway",
    description="What is asked of the gateways, how long they take, what they refuse and what they wait for.",
    rows=(_TRAFFIC, _EVENTS, _DOOR, _EDGE, processes.row("gateway")),
)
