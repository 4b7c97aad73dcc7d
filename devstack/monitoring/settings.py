"""What can be set about monitoring on one machine: `PROMETHEUS_PORT=9090 make run-monitoring`."""

from __future__ import annotations

from pydantic import Field

from devstack.settings import DevstackSettings


class MonitoringSettings(DevstackSettings):
    """Read once at start by `python -m devstack run-monitoring`.

    Where the system runs is read from the state folder, as `make run` left it there; those settings count here only
    where it has never run.
    """

    # None of the usual ports: where Debian's packages are installed, services of their own have those.
    prometheus_port: int = Field(9290, ge=1, le=65_535, description="Port of Prometheus.")
    grafana_port: int = Field(9291, ge=1, le=65_535, description="Port of Grafana, where it is found.")
    node_exporter_port: int = Field(9292, ge=1, le=65_535, description="Port of the node exporter, likewise.")
    postgres_exporter_port: int = Field(9293, ge=1, le=65_535, description="Port of the PostgreSQL exporter, likewise.")
    kafka_exporter_port: int = Field(9294, ge=1, le=65_535, description="Port of the Kafka exporter, likewise.")
