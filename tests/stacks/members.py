"""Who belongs on which network: those who serve there, and those who must talk to them."""

import re
from typing import Final

import msgspec


class Members(msgspec.Struct, frozen=True):
    """Names of services, as regular expressions."""

    servers: str
    clients: str = ""

    def have(self, service: str) -> bool:
        return bool(re.fullmatch(f"{self.servers}|{self.clients}", service))

    def are_served_by(self, service: str) -> bool:
        return bool(re.fullmatch(self.servers, service))


NETWORKS: Final = {
    "public": Members("edge"),
    "edge": Members("gateway", "edge"),
    "kafka": Members(r"kafka\d?", "gateway|aggregates|profiles|topics|command|kafka-exporter|prometheus"),
    "patroni": Members(r"patroni\d|etcd\d", "prometheus"),
    "databases": Members(r"patroni\d", r"postgres-proxy|postgres-exporter\d"),
    # Prometheus asks the gateway and the workers here as well, so that it is not on the edge's network.
    "postgres": Members(
        "postgres|postgres-proxy", "gateway|aggregates|profiles|roles|migrations|command|prometheus|grafana"
    ),
    "aerospike": Members(r"aerospike\d", r"gateway|profiles|command|aerospike-exporter\d"),
    "operators": Members("edge|grafana", "prometheus|blackbox-exporter"),
    "notifications": Members("alertmanager"),
    # Of each PostgreSQL alone, its way to the store of backups (stacks/backup.yaml).
    **{f"backup{i}": Members(f"patroni{i}") for i in (1, 2, 3)},
    # That of any one kind of database, for a job that asks its members how they are (stacks/whole.yaml).
    "members": Members("asked"),
    "monitoring": Members(r"prometheus|alertmanager|\w+-exporter\d?", "grafana"),
}
# They meet whomever they watch, and each other.
_OF_MONITORING: Final = re.compile(r"prometheus|alertmanager|grafana|\w+-exporter\d?")


def kind(service: str) -> str:
    """`kafka1` is a `kafka`: members of one cluster are one service to everybody else."""
    return service.rstrip("0123456789")


def is_of_monitoring(service: str) -> bool:
    return bool(_OF_MONITORING.fullmatch(service))
