"""The real workers and the real gateway, each on its own role: all they do, they may."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench import workers
from devstack import applications, ports, waiting
from devstack.kafka import KafkaServer
from gateway import tokens
from gateway.tokens import Scope
from runtime.settings import DatabaseSettings, KafkaSettings
from stores import migrate, roles
from tests.support import databases, gateways, topics
from tests.support import roles as support
from tests.support import workers as sending
from tests.support.gateways import Gateway
from tests.support.roles import Production
from tests.support.tags import tag

PIPELINE, GATEWAY = "allezone_pipeline", "allezone_gateway"
SECONDS = 60.0
QUICK: dict[str, Any] = {"session_timeout_s": 6, "flush_interval_s": 0.05, "housekeeping_interval_s": 0.2}


@contextmanager
def _worker(
    kind: str, folder: Path, topic: KafkaSettings, database: DatabaseSettings, **settings: Any
) -> Iterator[applications.Application]:
    worker = workers.worker(
        f"{kind}-{uuid.uuid4().hex[:4]}", folder, topic, database, ("pipeline", kind), **QUICK, **settings
    )
    worker.start()
    try:
        worker.wait_ready(SECONDS)
        yield worker
    finally:
        worker.kill()


@contextmanager
def _gateway(folder: Path, topic: KafkaSettings, database: DatabaseSettings) -> Iterator[Gateway]:
    """In production's form, asked with a token for everything."""
    token, entry = tokens.make("test", frozenset(Scope))
    file = folder / "tokens"
    file.write_text(entry.line())
    closed: dict[str, Any] = {"environment": "production", "tokens_file": file, "internal_port": ports.reserve()}
    with gateways.running(topic, database, **closed) as gateway:
        yield gateway.bearing(token)


def _post(gateway: Gateway, count: int) -> None:
    for number in range(count):
        assert gateway.post_tag(tag(cookie=f"c-{number % 2}")).status == 204


def _counted(gateway: Gateway) -> int:
    query = {"time_range": "2022-03-22T12:15:00_2022-03-22T12:16:00", "aggregates": "COUNT", "origin": tag()["origin"]}
    rows = [gateway.aggregates({**query, "action": action}).json["rows"] for action in ("VIEW", "BUY")]
    return sum(int(row[-1]) for found in rows for row in found)


def test_events_come_through_to_both_answers_and_broken_records_become_dead_letters(
    kafka: KafkaServer, production: Production, topic: str, tmp_path: Path
) -> None:
    settings = topics.make(kafka, topic)
    pipeline, reader = production.login(PIPELINE), production.login(GATEWAY)
    with ExitStack() as stack:
        gateway = stack.enter_context(_gateway(tmp_path, settings, reader))
        for kind in ("aggregates", "profiles"):
            stack.enter_context(_worker(kind, tmp_path, settings, pipeline, environment="production"))
        sending.send(settings, [b"no avro"])
        _post(gateway, 250 * 2)

        assert waiting.until(lambda: _counted(gateway) == 500, SECONDS), _counted(gateway)
        assert waiting.until(lambda: len(gateway.profile("c-0").json["views"]) == 200, SECONDS)
        assert waiting.until(lambda: _letters(production) == [("aggregates",), ("profiles",)], SECONDS)

        _make_an_idle_hour(production)
        assert waiting.until(lambda: not _has_idle_hour(production), SECONDS), "retention did not take it"


def test_processes_of_a_system_with_one_role_work_on_beside_the_new_ones(
    kafka: KafkaServer, topic: str, tmp_path: Path
) -> None:
    settings = topics.make(kafka, topic)
    with support.production() as made, databases.fresh(made.server) as old, ExitStack() as stack:
        at_last = Production(made.server, old.db_name)
        gateway = stack.enter_context(gateways.running(settings, old))
        worker = stack.enter_context(_worker("aggregates", tmp_path, settings, old))
        _post(gateway, 10)
        assert waiting.until(lambda: _counted(gateway) == 10, SECONDS)

        assert "GRANT allezone_owner TO allezone" in roles.apply(at_last.settings())

        _post(gateway, 10)
        assert waiting.until(lambda: _counted(gateway) == 20, SECONDS)
        with psycopg.connect(old.conninfo()) as conn:  # the old one's next login, and an hour that it makes
            conn.execute("SELECT ensure_hours(ARRAY[457770], 1000, 25)")

        new = stack.enter_context(_gateway(tmp_path, settings, at_last.login(GATEWAY)))
        stack.enter_context(
            _worker("aggregates", tmp_path, settings, at_last.login(PIPELINE), environment="production")
        )
        _post(new, 10)
        assert waiting.until(lambda: _counted(new) == 30, SECONDS)
        worker.stop()
        _post(gateway, 10)
        assert waiting.until(lambda: _counted(new) == _counted(gateway) == 40, SECONDS)

        owner = at_last.login(roles.OWNER)
        later = migrate.Migration(9001, "later", "ALTER TABLE dead_letters ADD COLUMN more int")
        assert migrate.apply(owner.conninfo(), [*migrate.available(), later]) == [later]
        assert roles.apply(at_last.settings()) == []


def _letters(production: Production) -> list[tuple[str]]:
    with _owner(production) as conn:
        return conn.execute("SELECT consumer_group FROM dead_letters ORDER BY 1").fetchall()


def _make_an_idle_hour(production: Production) -> None:
    with _owner(production) as conn:
        conn.execute("SELECT ensure_hours(ARRAY[457700], 1000, 25)")
        conn.execute("UPDATE aggregate_hours SET made_at = now() - interval '3 days' WHERE hour = hour_start(457700)")


def _has_idle_hour(production: Production) -> bool:
    with _owner(production) as conn:
        return conn.execute("SELECT FROM aggregate_hours WHERE hour = hour_start(457700)").fetchone() is not None


def _owner(production: Production) -> psycopg.Connection[Any]:
    return psycopg.connect(production.login(roles.OWNER).conninfo())
