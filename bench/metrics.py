"""What metrics cost: in the gateway per request, in a worker per batch and per write.

    python -m bench.metrics [--rounds N] [--requests N] [--bound US]

The gateway's figures are differences: the real endpoint, with nothing behind it, once with its metrics and once with
ones that do nothing. A worker's are those of all calls that one batch, and one write, makes. CPU time of this process,
the best of the rounds. Exit status 1 if a request's metrics are over the bound, 5 us unless set.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest import mock

import msgspec
import prometheus_client

import gateway.metrics
import pipeline.metrics
from bench import events
from gateway import asgi, clock, front, user_tags
from pipeline import batches, progress, span
from schemas import codec, wire
from stores import flush

_BATCH = 1_000
_PARTITIONS = 4
_TAG = next(events.make(1, seed=1))


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(prog="python -m bench.metrics", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=10_000, help="of one round, and batches and writes")
    parser.add_argument("--bound", type=float, default=5.0, help="us of CPU per request")
    arguments = parser.parse_args()
    rounds, count = arguments.rounds, arguments.requests
    costs = {
        "POST /user_tags": _difference(_event_endpoint, rounds, count),
        "any other request": _difference(_other_endpoint, rounds, count),
    }
    for name, cost in costs.items():
        print(f"gateway: {cost:.1f} us of CPU per request: {name}", flush=True)
    print(f"worker: {_best(_taking, rounds, count):.1f} us per batch, of however many records")
    print(f"worker: {_best(_writing, rounds, count):.1f} us per write, of {_PARTITIONS} partitions")
    print(f"both: {_best(_scrape, rounds, 10):.0f} us per scrape of {_series()} series, gateway and worker in one")
    worst = max(costs.values())
    print(f"the most for a request is {worst:.1f} us; the bound is {arguments.bound:.0f}")
    return 0 if worst <= arguments.bound else 1


# -- gateway -----------------------------------------------------------------------------------------------------------


def _difference(make: Callable[[], asgi.App], rounds: int, requests: int) -> float:
    """us of CPU per request that metrics make. In turn, so that both meet the machine as it is."""
    with _no_metrics():
        without = make()
    with_metrics = make()
    found: list[tuple[float, float]] = []
    for _ in range(rounds):
        with _no_metrics():
            bare = asyncio.run(_served(without, requests))
        found.append((asyncio.run(_served(with_metrics, requests)), bare))
    return min(cost for cost, _ in found) - min(bare for _, bare in found)


async def _served(app: asgi.App, requests: int) -> float:
    """us of CPU per request."""
    body = {"type": "http.request", "body": msgspec.json.encode(wire.of_tag(_TAG))}

    async def receive() -> asgi.Message:
        return body

    async def send(_message: asgi.Message) -> None:
        pass

    began = time.process_time()
    for _ in range(requests):
        await app({"type": "http", "method": "POST", "path": "/user_tags", "headers": []}, receive, send)
    return (time.process_time() - began) / requests * 1e6


def _event_endpoint() -> asgi.App:
    return user_tags.UserTags(_Taking(), lambda _scope, _needed: None, clock.system_clock, 1 << 16)


class _Taking:
    """`user_tags.Events` that has every event at once."""

    def send(self, *_: Any) -> "asyncio.Future[None]":
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


def _other_endpoint() -> asgi.App:
    async def answer(_scope: asgi.Scope, _receive: asgi.Receive, send: asgi.Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    return front.Answering(answer)


@contextmanager
def _no_metrics() -> Iterator[None]:
    nothing = mock.patch.multiple(gateway.metrics, REQUESTS=_Nothing(), DURATION=_Nothing())
    with nothing:
        yield


class _Nothing:
    """A metric, and what its `labels` gives."""

    def labels(self, *_: str) -> "_Nothing":
        return self

    def inc(self) -> None: ...
    def observe(self, _value: float) -> None: ...


# -- workers -----------------------------------------------------------------------------------------------------------


def _best(make: Callable[[], Callable[[], None]], rounds: int, count: int) -> float:
    """us of CPU of one call, over `count` of them."""
    call, costs = make(), []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(count):
            call()
        costs.append((time.process_time() - began) / count * 1e6)
    return min(costs)


def _taking() -> Callable[[], None]:
    """What `intake.Intake.admit` and `buffered_sink.BufferedSink.take` observe of a batch."""
    batch, records = _batch(0), span.Span()

    def take() -> None:
        pipeline.metrics.REPLAYED.inc(0)
        pipeline.metrics.observe_batch(batch)
        records.add(batch)

    return take


def _writing() -> Callable[[], None]:
    """What `sink.Sink` and `buffered_sink.BufferedSink.write` observe of a write."""
    told, content = progress.Progress(), flush.Flush([], [], [], [])
    ends = {partition: _BATCH for partition in range(_PARTITIONS)}
    told.place(dict.fromkeys(ends, 0))
    records = span.Span()
    for partition in ends:
        records.add(_batch(partition))

    def write() -> None:
        pipeline.metrics.observe_flush(content)
        told.stored(ends)
        told.written(records, 0.01)

    return write


def _batch(partition: int) -> batches.Batch:
    return batches.Batch(partition, [_Record(offset) for offset in range(_BATCH)])


class _Record(NamedTuple):
    """`batches.Record`."""

    offset: int
    key: bytes = b"key"
    value: bytes = codec.encode_tag(_TAG)
    timestamp: int = events.START_MS
    headers: tuple[tuple[str, bytes], ...] = ()


def _scrape() -> Callable[[], None]:
    def scrape() -> None:
        prometheus_client.generate_latest()

    return scrape


def _series() -> int:
    return sum(len(family.samples) for family in prometheus_client.REGISTRY.collect())


if __name__ == "__main__":
    sys.exit(main())
