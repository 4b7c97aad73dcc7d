"""One life of the client library's producer: events in, delivery reports out to the event loop, many per wake-up."""

import asyncio
import collections
import contextlib
import math
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaError, Message, Producer

from broker import connections
from runtime import logging

_log = logging.get_logger(__name__)
_POLL_S: Final = 0.1
_DROP_S: Final = 1.0  # to drop what is left, and to end: it takes milliseconds
_DROPPED: Final = frozenset({KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT})  # noqa: SLF001 - public names
_KB_EACH: Final = 8  # the longest event and its key take 5: the bound of bytes must not be reached before the other

Headers = list[tuple[str, str | bytes | None]]
Future = asyncio.Future[None]
Report = tuple[Future, KafkaError | None]
OnReports = Callable[[Sequence[Report]], None]
OnFatal = Callable[[str], None]


def config(bootstrap: str, *, timeout_ms: int, in_flight: int, linger_ms: float) -> dict[str, Any]:
    """What makes an acknowledgement mean "durable, once": idempotent, and by all in-sync replicas.

    The library never lets one event expire; who waits for it gives it up, after `timeout_ms`. An event that expires
    leaves a gap in its producer's sequence, and the library closes it by numbering anew, and sending again, what is
    under way: if a broker that was frozen then reads the first request too, both are in the log. (Frozen and killed
    eight times in 100 s, with a delivery timeout of 2 s: 123 of 17,729 acknowledged events were in the log twice;
    without: none.) A session that ends drops everything at once, so nothing is sent behind a gap.
    """
    return {
        **connections.config(bootstrap),
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "lz4",
        "linger.ms": linger_ms,
        "partitioner": "murmur2_random",  # the partition that Kafka's own clients give the same key
        "delivery.timeout.ms": 0,  # without end
        "request.timeout.ms": timeout_ms,
        "socket.timeout.ms": timeout_ms,
        "queue.buffering.max.messages": in_flight,
        "queue.buffering.max.kbytes": in_flight * _KB_EACH,
        "log_level": 2,  # the rest comes through error_cb
    }


class Session:
    """A producer and the thread that polls it. Ends by `retire` or `close`."""

    def __init__(self, config: dict[str, Any], topic: str, on_reports: OnReports, on_fatal: OnFatal) -> None:
        """`on_reports` and `on_fatal` are called in the running event loop."""
        self._topic = topic
        self._on_reports, self._on_fatal = on_reports, on_fatal
        self._loop = asyncio.get_running_loop()
        self._reports: collections.deque[Report] = collections.deque()
        self._woken = False
        self._ends_at = math.inf
        self._dropped = 0
        self._client = Producer({**config, "error_cb": self._library_error}, logger=connections.LOGGER)
        self._thread = threading.Thread(target=self._poll, name="kafka-delivery-reports", daemon=True)
        self._thread.start()

    def produce(self, key: bytes, value: bytes, headers: Headers | None, future: Future) -> None:
        """Hand over one event; `future` comes back in a report, once. Raises what the library raises."""
        if headers is None:  # the library takes no None for "no headers"
            self._client.produce(self._topic, value, key, on_delivery=partial(self._delivered, future))
        else:
            self._client.produce(self._topic, value, key, on_delivery=partial(self._delivered, future), headers=headers)

    def retire(self, patience_s: float) -> None:
        """Take nothing more and end: once every event is reported on, in `patience_s` at the latest.

        What is left then is sent no more, and reported as failed: a request under way may still arrive. Does not wait.
        """
        self._ends_at = min(self._ends_at, time.monotonic() + patience_s)

    @property
    def ended(self) -> bool:
        """Whether every event is reported on, and the thread gone."""
        return not self._thread.is_alive()

    async def close(self, timeout_s: float) -> int:
        """`retire`, and wait for the end. Returns how many events were sent no more.

        Every event is reported on when it returns, unless the library itself hangs: then it returns without, a second
        after the timeout, and the reports come when they come, as long as the event loop runs.
        """
        self.retire(timeout_s)
        await asyncio.to_thread(self._thread.join, timeout_s + _DROP_S)
        self._hand_out()
        return self._dropped

    def _poll(self) -> None:
        """The thread: callbacks run inside `poll`; after it one wake-up hands all of their reports to the loop."""
        while self._ends_at == math.inf or len(self._client) > 0:
            if self._loop.is_closed():  # nobody waits for the reports any more
                self.retire(0)
            if time.monotonic() >= self._ends_at:
                self._client.purge()
            self._client.poll(_POLL_S)
            if self._reports and not self._woken:
                self._woken = True
                self._in_loop(self._hand_out)
        if self._dropped:
            _log.warning("kafka producer ended with events that were not acknowledged", events=self._dropped)
        # Destroying the client waits for its threads: better here than wherever the last reference goes away.
        del self._client

    def _delivered(self, future: Future, error: KafkaError | None, _message: Message) -> None:
        if error is not None and error.code() in _DROPPED:
            self._dropped += 1
        self._reports.append((future, error))

    def _hand_out(self) -> None:
        self._woken = False
        reports = []
        while self._reports:
            reports.append(self._reports.popleft())
        self._on_reports(reports)

    def _library_error(self, error: KafkaError) -> None:
        _log.warning("kafka client", error=error.name(), reason=error.str(), fatal=error.fatal())
        if error.fatal():
            self._in_loop(partial(self._on_fatal, error.str()))

    def _in_loop(self, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and `_poll` will see it
            self._loop.call_soon_threadsafe(call)
