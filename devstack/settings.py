"""What can be set about the whole system on one machine: `GATEWAY_PORT=9000 PROFILES_WORKERS=2 make run`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from devstack import paths
from runtime.settings import AerospikeSettings


class DevstackSettings(AerospikeSettings):
    """Read once at start by `python -m devstack`. What it does not name is passed on to the processes as it is."""

    state_dir: Path = Field(paths.STATE, description="Folder of all data, logs, process ids and the password.")

    gateway_port: int = Field(8088, ge=1, le=65_535, description="Port of the first gateway; the others count up.")
    gateways: int = Field(1, ge=0, le=16, description="Gateway processes.")
    aggregates_port: int = Field(8100, ge=1, le=65_535, description="Probe port of the first aggregates worker.")
    aggregates_workers: int = Field(1, ge=0, le=64, description="Worker processes of the aggregates group.")
    profiles_port: int = Field(8200, ge=1, le=65_535, description="Probe port of the first profiles worker.")
    profiles_workers: int = Field(1, ge=0, le=64, description="Worker processes of the profiles group.")

    kafka_port: int = Field(9092, ge=1, le=65_535, description="Port of the Kafka broker.")
    kafka_controller_port: int = Field(9093, ge=1, le=65_535, description="Port of its KRaft controller.")
    kafka_heap: str = Field("512m", pattern=r"^\d+[mg]$", description="Heap of its Java process, as Java spells it.")
    kafka_jmx_port: int = Field(
        0,
        ge=0,
        le=65_535,
        description="Port of the Kafka broker's own figures, for Prometheus; 0: they are not served.",
    )
    # Not 5432: a machine on which this is tried out often has a PostgreSQL of its own.
    db_port: int = Field(5433, ge=1, le=65_535, description="Port of PostgreSQL.")

    # Read here only to be said: the gateways read it themselves.
    debug_queries: bool = Field(False, description="Debug mode of the gateways.")

    start_seconds: float = Field(60, ge=1, description="Seconds that each process has to become ready.")
