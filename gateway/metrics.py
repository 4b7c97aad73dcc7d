"""The metrics of the gateway: this list is all of them. Made once per process, however many applications it holds.

An increment costs 0.5 us and an observation 1.1 us here: `POST /user_tags` affords one of each (`python -m
bench.metrics`).
"""

import itertools
from typing import Final

from gateway import endpoints
from runtime.metrics import Label, Listing

# From half the linger to the longest timeout; 0.2 is the objective of docs/contract.md.
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 60.0)

STATUSES: Final = ("200", "204", "400", "401", "403", "404", "405", "413", "422", "429", "431", "503")
INVALID: Final = (
    "malformed", "body_too_large", "missing", "string_type", "string_too_short", "string_too_long", "string_nul",
    "enum", "int_type", "int_range", "string_or_int", "object_type", "time_form", "time_ahead", "repeated", "user_tag",
)  # fmt: skip
_NOT_HANDED_OVER: Final = ("in_flight_bound", "queue_full", "no_session", "closing", "stopping")
_OUTCOME_UNKNOWN: Final = ("timeout", "closing", "stopping", "unexpected")

_ENDPOINT: Final = Label("endpoint", endpoints.LABELS)
_QUERY: Final = Label("endpoint", (endpoints.USER_PROFILES, endpoints.AGGREGATES))
_RESULT: Final = Label("result", ("match", "mismatch", "broken_body"))

LISTING: Final = Listing()

REQUESTS: Final = LISTING.counter(
    "allezone_gateway_requests_total",
    "Requests answered, by the route that gave the answer (`other`: no route) and its status. Events taken are "
    '`endpoint="/user_tags",status="204"`. A client that went away before its request was complete is not counted, nor '
    "is a browser's preflight. 431, headers over their bound, has no route.",
    _ENDPOINT,
    Label("status", STATUSES),
)
DURATION: Final = LISTING.histogram(
    "allezone_gateway_request_duration_seconds",
    "Time to answer, from the first byte of the body wanted to the last byte of the answer handed over.",
    _ENDPOINT,
    buckets=_SECONDS,
)
INVALID_EVENTS: Final = LISTING.counter(
    "allezone_gateway_events_invalid_total",
    "Events answered with 400, 413 or 422, by the first thing that is wrong with them: for 422 the `type` of the first "
    "entry of `detail`.",
    Label("reason", INVALID),
    from_zero=True,
)
UNSTORED: Final = LISTING.counter(
    "allezone_gateway_events_unstored_total",
    "Events answered with 503, by what the client was told of them, and why.",
    Label("stored", ("no", "unknown")),
    Label(
        "reason",
        tuple(dict.fromkeys(_NOT_HANDED_OVER + _OUTCOME_UNKNOWN)),
        bound="or the name of an error of librdkafka, such as `_MSG_TIMED_OUT`",
    ),
)
FAILURES: Final = LISTING.counter(
    "allezone_gateway_query_failures_total",
    "Everything else that was answered with 503, by the class of the error: its message may hold a cookie.",
    _ENDPOINT,
    Label("error", bound="of `stores.errors` and `broker.errors`, `TimeoutError`, `Stopping`; others are defects"),
)
REFUSED: Final = LISTING.counter(
    "allezone_gateway_refused_total",
    "Requests not let in, by why and whose token it was.",
    Label("reason", ("no_token", "unknown_token", "scope", "rate")),
    Label("client", bound="names of TOKENS_FILE; empty: nobody's"),
)
TOKENS_BROKEN: Final = LISTING.gauge(
    "allezone_gateway_tokens_file_broken",
    "1 while TOKENS_FILE, as it is now, cannot be used: the tokens read before stay valid.",
)
IN_FLIGHT: Final = LISTING.gauge(
    "allezone_gateway_events_in_flight", "Events handed to Kafka and not yet reported on, those given up among them."
)
IN_FLIGHT_LIMIT: Final = LISTING.gauge(
    "allezone_gateway_events_in_flight_limit", "How many these may be (PRODUCE_IN_FLIGHT): further ones get a 503."
)
DEPENDENCY_UP: Final = LISTING.gauge(
    "allezone_gateway_dependency_up",
    "1 while the dependency answers, 0 while it does not; there from the first look on.",
    Label("dependency", ("kafka", "profiles", "aggregates")),
)
DEBUG_ANSWERS: Final = LISTING.counter(
    "allezone_gateway_debug_answers_total",
    "Debug mode: answers compared with the expected one that came with the query. From 0 where DEBUG_QUERIES is on, "
    "nothing where it is off.",
    _QUERY,
    _RESULT,
)

# These, too, from zero: see `Listing.counter`. Not every combination, for most never come.
for _endpoint in endpoints.LABELS:
    REQUESTS.labels(_endpoint, "204" if _endpoint == endpoints.USER_TAGS else "200")
    REQUESTS.labels(_endpoint, "503")
    DURATION.labels(_endpoint)
for _reason in _NOT_HANDED_OVER:
    UNSTORED.labels("no", _reason)
for _reason in _OUTCOME_UNKNOWN:
    UNSTORED.labels("unknown", _reason)
for _reason in ("no_token", "unknown_token", "rate"):
    REFUSED.labels(_reason, "")


def start_debug_answers() -> None:
    """Debug mode is on: what it counts is there before the first answer is compared."""
    for endpoint, result in itertools.product(_QUERY.values, _RESULT.values):
        DEBUG_ANSWERS.labels(endpoint, result)
