"""An hour of the whole system as Prometheus' series, in promtool's notation: all is well in it, or something is not.

A sample each 15 seconds. What breaks for good breaks after 40 minutes; what breaks a little does so all the time.
"""

from collections.abc import Iterable, Mapping
from typing import Final

SECONDS: Final = 3_600
STEP: Final = 15
LAST: Final = SECONDS // STEP
_BREAK: Final = 160

Hour = Mapping[str, str]
"""The values of each series."""

REQUESTS: Final = "allezone_gateway_requests_total"
DURATION: Final = "allezone_gateway_request_duration_seconds"
FRESHNESS: Final = "allezone_pipeline_freshness_seconds"
DEBUG: Final = "allezone_gateway_debug_answers_total"
LETTERS: Final = "allezone_pipeline_dead_letters_total"
JUMPED: Final = "allezone_pipeline_jumped_offsets_total"
LAG: Final = "allezone_pipeline_lag_records"
STORED: Final = "allezone_pipeline_stored_timestamp_seconds"
GROUP_LAG: Final = "kafka_consumergroup_lag"
ANSWERS: Final = "haproxy_backend_http_responses_total"
READY: Final = "haproxy_backend_active_servers"
REACHED: Final = "allezone_gateway_dependency_up"
HANDSHAKES: Final = "probe_success"
EXPIRY: Final = "probe_ssl_earliest_cert_expiry"
STARTED: Final = "process_start_time_seconds"

QUERIES: Final = ("/user_profiles/{cookie}", "/aggregates")
ENDPOINTS: Final = ("/user_tags", *QUERIES)
KINDS: Final = {"profiles": 10, "aggregates": 60}
"""The kinds of workers, and the seconds within which what they write is visible."""
_COMING: Final = 15_000


def named(metric: str, job: str, service: str, **labels: str) -> str:
    """A series of a target: of the one that each service has here, unless `labels` give another instance."""
    every = {"job": job, "service": service, "instance": f"{service}:1", **labels}
    written = ", ".join(f'{label}="{value}"' for label, value in every.items())
    return f"{metric}{{{written}}}"


def gateway(metric: str, **labels: str) -> str:
    return named(metric, "gateway", "gateway", **labels)


def edge(metric: str, **labels: str) -> str:
    return named(metric, "haproxy", "edge", proxy="events", **labels)


def certificate(metric: str) -> str:
    """What the blackbox exporter says of an edge."""
    return named(metric, "certificate", "edge")


def worker(metric: str, kind: str, **labels: str) -> str:
    return named(metric, "workers", kind, **labels)


def group(metric: str, kind: str) -> str:
    """What Kafka's exporter says of a kind of workers."""
    return named(metric, "kafka", "kafka-exporter", consumergroup=kind, topic="user-tags", partition="0")


def grows(step: float) -> str:
    """By so much from one sample to the next."""
    return f"0+{step}x{LAST}"


def stays(value: float) -> str:
    return f"{value}x{LAST}"


def grows_then(before: float, after: float) -> str:
    """By another step from the break on."""
    return f"0+{before}x{_BREAK} {before * _BREAK + after}+{after}x{LAST - _BREAK - 1}"


def stays_then(before: float, after: float) -> str:
    """At another value from the break on."""
    return f"{before}x{_BREAK} {after}x{LAST - _BREAK - 1}"


def appears(value: float) -> str:
    """There for the last ten minutes only."""
    return f"_x200 {value}x{LAST - 200}"


def gone(hour: Hour, *parts: str) -> Hour:
    """The series in whose names all `parts` are, as in `hour`, and not there from the break on."""
    found = {name: values for name, values in hour.items() if all(part in name for part in parts)}
    assert found, parts
    return {name: f"{_begun(values)} stale" for name, values in found.items()}


def standing(kinds: Iterable[str]) -> Hour:
    """These workers store nothing from the break on, and say so: records come, their lag grows."""
    return {
        name: values
        for kind in kinds
        for name, values in {
            worker(LAG, kind, partition="0"): grows_then(0, _COMING),
            worker(STORED, kind): grows_then(STEP, 0),
            worker(f"{FRESHNESS}_count", kind): grows_then(100, 0),
            worker(f"{FRESHNESS}_bucket", kind, le=f"{KINDS[kind]}.0"): grows_then(100, 0),
            **behind([kind]),
        }.items()
    }


def half_standing(kind: str) -> Hour:
    """A second worker has the other half of the records, and stores none from the break on."""
    other = f"{kind}:2"
    return {
        worker("up", kind, instance=other): stays(1),
        worker(LAG, kind, partition="1", instance=other): grows_then(0, _COMING / 2),
        worker(STORED, kind, instance=other): grows_then(STEP, 0),
    }


def idle(kind: str) -> Hour:
    """These workers have stored all there was at the break, and nothing comes any more."""
    return {
        worker(STORED, kind): grows_then(STEP, 0),
        worker("allezone_pipeline_lag_timestamp_seconds", kind): grows_then(STEP, 0),
        worker(f"{FRESHNESS}_count", kind): grows_then(100, 0),
        worker(f"{FRESHNESS}_bucket", kind, le=f"{KINDS[kind]}.0"): grows_then(100, 0),
    }


def behind(kinds: Iterable[str]) -> Hour:
    """What Kafka's exporter says of groups that have stopped at the break."""
    return {
        name: values
        for kind in kinds
        for name, values in {
            group(GROUP_LAG, kind): grows_then(0, _COMING),
            group("kafka_consumergroup_current_offset", kind): grows_then(_COMING, 0),
        }.items()
    }


def _begun(values: str) -> str:
    """The notation up to the break: that of a series which goes on in one way all the hour."""
    value, times = values.rsplit("x", 1)
    assert times == str(LAST), values
    return f"{value}x{_BREAK}"


def _of_workers(kind: str, seconds: int) -> Hour:
    return {
        worker("up", kind): stays(1),
        worker(STARTED, kind): stays(-SECONDS),
        worker(LAG, kind, partition="0"): stays(0),
        worker(STORED, kind): grows(STEP),
        worker("allezone_pipeline_lag_timestamp_seconds", kind): grows(STEP),
        worker(f"{FRESHNESS}_count", kind): grows(100),
        worker(f"{FRESHNESS}_bucket", kind, le=f"{seconds}.0"): grows(100),
        worker(LETTERS, kind, reason="undecodable"): stays(0),
        worker(JUMPED, kind): stays(0),
        group(GROUP_LAG, kind): stays(0),
        group("kafka_consumergroup_current_offset", kind): grows(_COMING),
    }


WELL: Final[Hour] = {
    gateway("up"): stays(1),
    gateway(STARTED): stays(-SECONDS),
    gateway(REQUESTS, endpoint="/user_tags", status="204"): grows(_COMING),
    gateway(REQUESTS, endpoint="/user_tags", status="503"): grows(1),
    gateway(REQUESTS, endpoint="/user_tags", status="422"): grows(5_000),
    **{gateway(REQUESTS, endpoint=each, status="200"): grows(1_000) for each in QUERIES},
    **{gateway(f"{DURATION}_count", endpoint=each): grows(1_000) for each in ENDPOINTS},
    **{gateway(f"{DURATION}_bucket", endpoint=each, le="0.2"): grows(999) for each in ENDPOINTS},
    gateway(DEBUG, endpoint="/aggregates", result="match"): grows(10),
    gateway(DEBUG, endpoint="/aggregates", result="mismatch"): stays(0),
    gateway(REACHED, dependency="kafka"): stays(1),
    edge("up"): stays(1),
    edge(ANSWERS, code="2xx"): grows(_COMING),
    edge(ANSWERS, code="4xx"): grows(5_000),
    edge(ANSWERS, code="5xx"): grows(1),
    edge(READY): stays(1),
    certificate("up"): stays(1),
    certificate(HANDSHAKES): stays(1),
    certificate(EXPIRY): stays(90 * 86_400),
    named("up", "kafka", "kafka-exporter"): stays(1),
    named("kafka_topic_partition_current_offset", "kafka", "kafka-exporter", topic="user-tags", partition="0"): grows(
        _COMING
    ),
    **{name: values for kind, seconds in KINDS.items() for name, values in _of_workers(kind, seconds).items()},
}

ONE_MACHINE: Final[Hour] = {name: values for name, values in WELL.items() if 'service="edge"' not in name}
"""The same where nobody stands before the gateways."""
