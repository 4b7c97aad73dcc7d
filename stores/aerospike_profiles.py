"""Profiles in Aerospike: for clusters.

One record per cookie, one key-ordered map bin per action, entry key to value. Many cookies go in one batch: 22,000
tags/s against 4,500/s with a call a tag.

Size: a record holds up to 400 values. A tag of ordinary length takes about 150 bytes, a full record 70 KB. With every
string at its limit a tag takes 4.2 KB and a full record 1.7 MB, beyond the server's `max-record-size` of 1 MiB: give
the namespace 2M. Without it such a cookie's writes, and no others, fail for good and say so (code 13).

Consistency: the Community Edition has no strong consistency. After a network split the side with fewer nodes may lose
what it took; the topic still has it, and a rebuild brings it back.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import aerospike
from aerospike import exception
from aerospike_helpers.batch import records
from aerospike_helpers.operations import map_operations

from runtime import logging
from stores import errors, profiles
from stores.profiles import KEPT, FailedWrite, Profile, ProfileWrite

COOKIES_A_BATCH: Final = 1_000
BYTES_A_BATCH: Final = 4 * 1024 * 1024
RETRY_PAUSES: Final = (0.05, 0.2, 0.8)
"""Seconds before each further attempt at the writes that failed for a passing reason."""

PERMANENT_CODES: Final = {12: "the record has another kind of bin", 13: "the record would be too big"}
"""Result codes that say something of this one record. Any other may be the cluster's state or its configuration."""

_MILLISECOND: Final = 0.001
_OK: Final = 0
_SOME_FAILED: Final = -16
_BINS: Final = {"VIEW": "views", "BUY": "buys"}
_MAP_POLICY: Final = {"map_order": aerospike.MAP_KEY_ORDERED, "map_write_flags": aerospike.MAP_WRITE_FLAGS_DEFAULT}
_WRITE_POLICY: Final = {"ttl": aerospike.TTL_NEVER_EXPIRE}
# The client itself tries again on another node. Every operation here may be made twice.
_CALL_POLICY: Final = {"socket_timeout": 500, "total_timeout": 2_000, "max_retries": 2, "sleep_between_retries": 20}

_log = logging.get_logger(__name__)


class AerospikeProfiles:
    """A ProfileStore over the synchronous client, whose calls release the interpreter lock and run in threads.

    `connect` makes a client or raises AerospikeError. It is called when a client is first needed, and again until it
    succeeds: a process may start before its cluster.
    """

    def __init__(self, connect: Callable[[], Any], namespace: str, set_name: str, *, threads: int = 8) -> None:
        self._connect = connect
        self._namespace, self._set = namespace, set_name
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="aerospike")
        self._connecting = threading.Lock()
        self._client: Any = None

    async def add(self, writes: Sequence[ProfileWrite]) -> None:
        ordered, failed = profiles.sift(writes)
        for batch in _batches(ordered):
            failed += await self._add(batch)
        if failed:
            raise errors.PartialWrite(failed)

    async def read(self, cookie: str, from_ms: int, to_ms: int, limit: int) -> Profile:
        if not profiles.storable(cookie) or from_ms >= to_ms:
            return Profile([], [])
        ends = profiles.range_end(from_ms), profiles.range_end(to_ms)
        operations = [
            map_operations.map_get_by_key_range(name, *ends, aerospike.MAP_RETURN_VALUE) for name in _BINS.values()
        ]
        found = await self._run(lambda client: _operate(client, self._key(cookie), operations))
        return Profile(*(_newest_first(found.get(name), limit) for name in _BINS.values()))

    async def ping(self) -> None:
        await self.read("ping", 0, 1, 1)

    async def wipe(self) -> None:
        """Takes effect on every node within about a second. What nodes write meanwhile may go or stay."""
        await asyncio.sleep(_MILLISECOND * 2)  # truncation spares records written in its own millisecond
        await self._run(lambda client: client.truncate(self._namespace, self._set, 0))

    async def close(self) -> None:
        if self._client is not None:
            await self._run(lambda client: client.close())
        await asyncio.to_thread(self._executor.shutdown)

    async def _add(self, batch: Sequence[ProfileWrite]) -> list[FailedWrite]:
        """Writes, tries those again that failed for a passing reason, and gives those that failed in the end."""
        lasting: list[FailedWrite] = []
        passing: list[FailedWrite] = []
        for pause in (0.0, *RETRY_PAUSES):
            await asyncio.sleep(pause)
            failed = await self._write(batch)
            lasting += [failure for failure in failed if failure.permanent]
            passing = [failure for failure in failed if not failure.permanent]
            if not passing:
                break
            _log.warning("profile_writes_failed", writes=len(passing), reason=passing[0].reason)
            batch = [failure.write for failure in passing]
        return lasting + passing

    async def _write(self, batch: Sequence[ProfileWrite]) -> list[FailedWrite]:
        groups = [list(group) for _, group in groupby(batch, key=attrgetter("cookie"))]
        sent = [records.Write(self._key(group[0].cookie), _operations(group), policy=_WRITE_POLICY) for group in groups]
        await self._run(lambda client: _batch_write(client, sent))
        return [
            FailedWrite(write, _reason(record.result), record.result in PERMANENT_CODES)
            for group, record in zip(groups, sent, strict=True)
            if record.result != _OK
            for write in group
        ]

    async def _run(self, call: Callable[[Any], Any]) -> Any:
        """`call` with the client, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._call, call)

    def _call(self, call: Callable[[Any], Any]) -> Any:
        try:
            return call(self._connected())
        except exception.ParamError:
            raise  # a mistake in this file, nothing that waiting mends
        except exception.AerospikeError as error:
            reason = f"{type(error).__name__}: {error}"
            raise errors.ProfileStoreUnavailable(reason) from error

    def _connected(self) -> Any:
        with self._connecting:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _key(self, cookie: str) -> tuple[str, str, str]:
        return self._namespace, self._set, cookie


def _batches(ordered: Sequence[ProfileWrite]) -> Iterator[list[ProfileWrite]]:
    """Batches of a bounded size, a cookie's writes never in two of them."""
    batch: list[ProfileWrite] = []
    cookies = size = 0
    for _, group in groupby(ordered, key=attrgetter("cookie")):
        writes = list(group)
        batch += writes
        cookies += 1
        size += sum(len(write.value) for write in writes)
        if cookies == COOKIES_A_BATCH or size > BYTES_A_BATCH:
            yield batch
            batch, cookies, size = [], 0, 0
    if batch:
        yield batch


def _operations(group: Sequence[ProfileWrite]) -> list[dict[str, Any]]:
    """Puts one cookie's entries and cuts each touched map to its newest, in one atomic operation on the record."""
    puts = [map_operations.map_put(_BINS[write.action], write.entry_key, write.value, _MAP_POLICY) for write in group]
    touched = sorted({_BINS[write.action] for write in group})
    return puts + [
        map_operations.map_remove_by_index_range(name, -KEPT, KEPT, aerospike.MAP_RETURN_NONE, inverted=True)
        for name in touched
    ]


def _batch_write(client: Any, sent: list[records.Write]) -> None:
    """Afterwards each of `sent` has its result code. Raises AerospikeError if the call as a whole came to nothing.

    The client raises nothing once the batch is made, not even where it knows no node: then it leaves each record's code
    at 0, as if written, and says so in the batch's alone (src/main/client/batch_write.c, as_batch_records_execute).
    """
    batch = records.BatchRecords(sent)
    client.batch_write(batch, _CALL_POLICY)
    if batch.result not in (_OK, _SOME_FAILED):
        raise exception.AerospikeError(batch.result, "the batch was not answered")


def _operate(client: Any, key: tuple[str, str, str], operations: list[dict[str, Any]]) -> dict[str, Any]:
    """The bins that the operations give; none where there is no such record."""
    try:
        _key, _meta, bins = client.operate(key, operations, policy=_CALL_POLICY)
    except exception.RecordNotFound:
        return {}
    return dict(bins)


def _newest_first(values: list[bytes] | None, limit: int) -> list[bytes]:
    """The end of a key-ordered list, turned round."""
    return [bytes(value) for value in reversed(values or [])][:limit]


def _reason(code: int) -> str:
    return f"{PERMANENT_CODES.get(code, 'the cluster did not take it')} (code {code})"
