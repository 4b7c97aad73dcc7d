"""What each process needs of its service: which check is its own alone, how long it takes to end, how much it opens."""

import re
from typing import Final

import msgspec

from gateway.settings import GatewaySettings
from tests.stacks import rendering


class Process(msgspec.Struct, frozen=True):
    """One kind of process. `health` are the words of its check, none for a job; `ends_within` are seconds from the stop
    signal to the end of what must not be cut off. `descriptors` are those of its clients' connections, and of what it
    has open beside them, where Docker's own limit is too low: 1,024 since version 29. The default, 0: it has fewer, as
    a backend of PostgreSQL and a worker, or it raises the soft limit to the hard one itself, as Java and Go do."""

    health: str
    ends_within: float
    descriptors: int = 0


_BESIDE_CLIENTS: Final = 200
"""Descriptors: pools, peers, listeners, pipes."""


def _configured(path: str, name: str) -> int:
    """The first figure of this name in a service's configuration."""
    text = (rendering.ROOT / "services" / path).read_text("utf-8")
    found = re.search(rf"^\s*{re.escape(name)} (\d+)$", text, re.MULTILINE)
    assert found is not None, f"{path} has no {name}"
    return int(found[1])


def _through(configuration: str) -> int:
    """Two descriptors a connection: HAProxy does not start with fewer."""
    return 2 * _configured(f"haproxy/{configuration}", "maxconn") + _BESIDE_CLIENTS


_EVENTS: Final[int] = GatewaySettings.model_fields["produce_in_flight"].default
"""Each holds its request's connection while it waits for Kafka."""


def _wget(port: int, path: str) -> str:
    """For images that have busybox and no bash."""
    return f"wget -q -T 4 -O /dev/null http://127.0.0.1:{port}{path}"


# By the names of services, as regular expressions.
_PROCESSES: Final = {
    # The controller's port: the broker's opens only when a quorum has let the broker in. An end hands leadership over.
    r"kafka\d?": Process("healthcheck 9093", 45),
    # The peers' port, for the same reason.
    r"etcd\d": Process("healthcheck 2380", 10),
    # /liveness is Patroni's own; a checkpoint of a busy server comes before the end.
    r"patroni\d": Process("healthcheck 8008 /liveness", 90),
    "postgres": Process("bash -c : <>/dev/tcp/127.0.0.1/5432", 45),
    "postgres-proxy": Process("healthcheck 8404 /healthz", 5, _through("postgres.cfg")),
    # What is in memory of the index is lost anyway; what waits for the disk is written.
    r"aerospike\d": Process("healthcheck 3000", 30, _configured("aerospike/aerospike.conf", "proto-fd-max")),
    "edge": Process("healthcheck 8404 /healthz", 25, _through("edge.cfg")),  # hard-stop-after in edge.cfg
    "gateway": Process("healthcheck 8089 /healthz", 20, _EVENTS + _BESIDE_CLIENTS),  # gateway/server.py
    # A write that is under way, the last one, leaving the group.
    "aggregates|profiles": Process("healthcheck 8100 /healthz", 25),
    "topics|roles|migrations|command": Process("", 10),
    "asked": Process("", 1),  # reads, and nothing else
    "prometheus": Process(_wget(9090, "/-/healthy"), 30),  # closes its newest block
    "alertmanager": Process(_wget(9093, "/-/healthy"), 5),  # writes down silences and what it has told
    "grafana": Process(_wget(3000, "/api/health"), 5),
    "node-exporter": Process(_wget(9100, "/"), 1),
    "blackbox-exporter": Process(_wget(9115, "/-/healthy"), 1),
    "kafka-exporter": Process(_wget(9308, "/healthz"), 1),
    r"postgres-exporter\d": Process(_wget(9187, "/"), 1),
    r"aerospike-exporter\d": Process(_wget(9145, "/health"), 1),
}


def of(service: str) -> Process | None:
    """What runs in the service of this name, if anybody has said it."""
    return next((process for name, process in _PROCESSES.items() if re.fullmatch(name, service)), None)
