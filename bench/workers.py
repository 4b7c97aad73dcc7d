"""Servers and aggregates workers of a benchmark's own, on free ports, ended with it."""

import http.client
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from broker import topics
from devstack import applications, kafka, ports, postgres
from runtime.settings import DatabaseSettings, KafkaSettings
from stores import migrate

_METRIC_SECONDS = 2.0


class Servers(NamedTuple):
    """What a worker needs, and a folder for logs."""

    kafka: kafka.KafkaServer
    postgres: postgres.PostgresServer
    folder: Path

    def topic(self, name: str, partitions: int = 4) -> KafkaSettings:
        """A new topic, and how to reach it."""
        settings = KafkaSettings(
            environment="local",
            kafka_hosts=self.kafka.bootstrap,
            kafka_topic=name,
            kafka_partitions=partitions,
            kafka_replication=1,
            kafka_min_insync=1,
        )
        topics.ensure(settings)
        return settings

    def database(self, name: str) -> DatabaseSettings:
        """A new database with the tables of this version, and how to reach it."""
        self.postgres.create_database(name)
        settings = DatabaseSettings(
            environment="local",
            db_host=self.postgres.host,
            db_port=self.postgres.port,
            db_name=name,
            db_user=self.postgres.user,
            db_password=SecretStr(self.postgres.password),
        )
        migrate.apply(settings.conninfo())
        return settings


@contextmanager
def servers(*, throwaway_data: bool = False) -> Iterator[Servers]:
    """A broker and a PostgreSQL; with `throwaway_data` the latter does not wait for its disk."""
    with tempfile.TemporaryDirectory(prefix="allezone-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        log = kafka.KafkaServer(folder / "kafka", kafka.free_node(), throwaway=True)
        database = postgres.PostgresServer(folder / "postgres", ports.reserve(), throwaway=throwaway_data)
        try:
            log.start()
            database.start()
            log.wait_ready()
            database.wait_ready()
            yield Servers(log, database, folder)
        finally:
            database.kill()
            log.kill()


def worker(
    name: str,
    folder: Path,
    topic: KafkaSettings,
    database: DatabaseSettings,
    run: Sequence[str] = ("pipeline", "aggregates"),
    **settings: object,
) -> applications.Application:
    """`python -m RUN...` with `settings`, not started yet. Its log is `folder/NAME.log`."""
    port = ports.reserve()
    told = {
        "environment": "local",
        "log_format": "json",
        "probe_port": port,
        "data_dir": folder / f"{name}.faust",  # a temporary folder would outlive a worker that is killed
        **topic.model_dump(include={"kafka_hosts", "kafka_topic"}),
        **database.model_dump(include={"db_host", "db_port", "db_name", "db_user"}),
        "db_password": database.db_password.get_secret_value(),
        **settings,
    }
    inherited = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
    environment = inherited | {key.upper(): str(value) for key, value in told.items()}
    return applications.Application(name, run, port, environment, folder / f"{name}.log", throwaway=True)


def metric(worker: applications.Application, sample: str) -> float | None:
    """The value of the sample that its `/metrics` writes as `sample`; None where it does not answer or has none."""
    lines = scrape(worker).splitlines()
    return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{sample} ")), None)


def scrape(worker: applications.Application) -> str:
    """What its `/metrics` answers; empty where it does not."""
    connection = http.client.HTTPConnection(ports.HOST, worker.port, timeout=_METRIC_SECONDS)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
