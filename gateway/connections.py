"""What the gateway is connected to, opened at start and closed at the end. Nothing here waits for a server to be there:
readiness tells, and requests get a 503 until then."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from broker import backlog, producer, topics
from broker import connections as broker_connections
from gateway import app, health, metrics, patience
from gateway.settings import GatewaySettings
from runtime import logging
from runtime.health import Dependencies
from stores import pools, profiles, profiles_factory
from stores.aggregates import AggregatesReader

_log = logging.get_logger(__name__)
_KAFKA_PATIENCE_S: Final = 2.0
_FLUSH_S: Final = 4.0
_CLOSE_S: Final = 1.0
_CONNECTION_WAIT_S: Final = 2.0  # queries take milliseconds: longer, and PostgreSQL is away


@contextlib.asynccontextmanager
async def opened(settings: GatewaySettings) -> AsyncIterator[app.Ports]:
    """The real ports, watched; at the end the producer is flushed."""
    dependencies = Dependencies(vital=["kafka"], others=["profiles", "aggregates"])
    ask = broker_connections.Asking(settings.kafka_hosts)
    ask_kafka = partial(ask, topics.describe, settings.kafka_topic, _KAFKA_PATIENCE_S)
    groups = (settings.aggregates_group, settings.profiles_group)
    async with contextlib.AsyncExitStack() as stack:
        pool = pools.for_queries(settings.conninfo("gateway"), timeout_seconds=_CONNECTION_WAIT_S)
        await pool.open(wait=False)
        stack.push_async_callback(pool.close, _CLOSE_S)
        store = await profiles_factory.open_profiles(settings)
        stack.push_async_callback(_close, store)
        reader = AggregatesReader(pool)
        events = producer.EventProducer.connect(settings, _limits(settings))
        stack.push_async_callback(_flush, events)
        metrics.IN_FLIGHT.set_function(lambda: events.in_flight)
        metrics.IN_FLIGHT_LIMIT.set(settings.produce_in_flight)
        pings: dict[str, health.Ping] = {
            "kafka": partial(asyncio.to_thread, ask_kafka),
            "profiles": store.ping,
            "aggregates": reader.ping,
        }
        watching = asyncio.create_task(health.watch(dependencies, pings, settings.probe_interval_ms / 1000))
        stack.callback(watching.cancel)
        yield app.Ports(
            events=events,
            profiles=store,
            aggregates=reader,
            read_backlog=lambda topic: ask(backlog.read, topic, groups, _KAFKA_PATIENCE_S),
            dependencies=dependencies,
        )


def _limits(settings: GatewaySettings) -> producer.Limits:
    return producer.Limits(
        timeout_ms=settings.produce_timeout_ms,
        in_flight=settings.produce_in_flight,
        linger_ms=settings.produce_linger_ms,
    )


async def _close(store: profiles.ProfileStore) -> None:
    with contextlib.suppress(TimeoutError):  # a store that hangs must not keep the process
        await patience.within(_CLOSE_S, store.close())


async def _flush(events: producer.EventProducer) -> None:
    missing = await events.close(_FLUSH_S)
    # Every request has been answered by now: these were answered with "unknown".
    _log.info("producer closed", unacknowledged=missing)
