"""One life of the client library's producer: events in, delivery reports out to the event loop, many per wake-up."""

import asyncio
import collections
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaError, Message, Producer

from broker import connections
from runtime import logging

_log = logging.get_logger(__name__)
_POLL_S: Final = 0.1

Headers = list[tuple[str, str | bytes | None]]
Future = asyncio.Future[None]
Report = tuple[Future, KafkaError | None]
OnReports = Callable[[Sequence[Report]], None]
OnFatal = Callable[[str], None]


def config(bootstrap: str, *, timeout_ms: int, in_flight: int, linger_ms: float) -> dict[str, Any]:
    """What makes an acknowledgement mean "durable, once": idempotent, and by all in-sync replicas.

    The library never gives an event up; who waits for it does, after `timeout_ms`. An event that expires leaves a gap
    in its producer's sequence, and the library closes it by numbering anew, and sending again, what is under way: if a
    broker that was frozen then reads the first request too, both are in the log. (Frozen and killed eight times in
    100 s, with a delivery timeout of 2 s: 123 of 17,729 acknowledged events were in the log twice; without: none.)
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
        "queue.buffering.max.kbytes": 65_536,
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
        self._ending = False
        self._giving_up = False
        self._client = Producer({**config, "error_cb": self._library_error}, logger=connections.LOGGER)
        self._thread = threading.Thread(target=self._poll, name="kafka-delivery-reports", daemon=True)
        self._thread.start()

    def produce(self, key: bytes, value: bytes, headers: Headers | None, future: Future) -> None:
        """Hand over one event; `future` comes back in a report, once. Raises what the library raises."""
        if headers is None:  # the library takes no None for "no headers"
            self._client.produce(self._topic, value, key, on_delivery=partial(self._delivered, future))
        else:
            self._client.produce(self._topic, value, key, on_delivery=partial(self._delivered, future), headers=headers)

    def retire(self) -> None:
        """End once every event handed over is reported on: no report is lost. Does not wait."""
        self._ending = True

    async def close(self, timeout_s: float) -> None:
        """`retire`, and wait for the end for at most `timeout_s`. What is left then is sent no more."""
        self._ending = True
        await asyncio.to_thread(self._thread.join, timeout_s)
        self._giving_up = True
        self._hand_out()

    def _poll(self) -> None:
        """The thread: callbacks run inside `poll`; after it one wake-up hands all of their reports to the loop."""
        while not (self._ending and len(self._client) == 0):
            if self._giving_up:
                self._client.purge()
            self._client.poll(_POLL_S)
            if self._reports and not self._woken:
                self._woken = True
                self._in_loop(self._hand_out)
        # Destroying the client waits for its threads: better here than wherever the last reference goes away.
        del self._client

    def _delivered(self, future: Future, error: KafkaError | None, _message: Message) -> None:
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
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:  # the loop is closed: nobody waits for the reports any more
            self._ending = True
