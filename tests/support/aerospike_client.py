"""An Aerospike client and server in this process: the calls and operations that stores/aerospike_profiles.py makes.

It holds what the real ones were seen to do, and refuses everything else, so that the adapter's own code (operations,
result codes, retries, limits) runs under the contract of profile stores where no server is. The contract runs against a
real server wherever AEROSPIKE_HOSTS names one; what differs there is a mistake here.
"""

import copy
import threading
from collections.abc import Callable, Sequence
from typing import Any

import aerospike
from aerospike import exception
from aerospike_helpers.batch.records import BatchRecords, Write

NO_NODES, PARAMETER_ERROR, TOO_BIG, BIN_NAME, SOME_FAILED = 1, 4, 13, 21, -16
MAX_BIN_NAME = 15
ENTRY_OVERHEAD = 8
CALL_POLICIES = {"socket_timeout", "total_timeout", "max_retries", "sleep_between_retries"}

Key = tuple[str, str, str]
Bins = dict[str, dict[Any, Any]]
Operation = dict[str, Any]


class Refused(Exception):
    """The server's result code for one record."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class FakeClient:
    """One server's worth of records."""

    def __init__(self, *, max_record_size: int = 1024 * 1024) -> None:
        self.batches: list[list[Write]] = []
        self.away = False
        self._max_record_size = max_record_size
        self._records: dict[Key, Bins] = {}
        self._faults: dict[str, list[int]] = {}
        self._lock = threading.Lock()

    def fail(self, cookie: str, codes: Sequence[int]) -> None:
        """The next writes of this cookie get these result codes, one a call."""
        self._faults[cookie] = list(codes)

    def batch_write(self, batch: BatchRecords, policy: dict[str, int]) -> BatchRecords:
        """Raises nothing, as the real one: a call that reached no node leaves every record's code at 0."""
        assert set(policy) <= CALL_POLICIES
        if self.away:
            batch.result = NO_NODES
            return batch
        with self._lock:
            assert len({record.key for record in batch.batch_records}) == len(batch.batch_records)
            self.batches.append(list(batch.batch_records))
            for record in batch.batch_records:
                record.result = self._write(record)
        batch.result = SOME_FAILED if any(record.result for record in batch.batch_records) else 0
        return batch

    def operate(self, key: Key, operations: list[Operation], policy: dict[str, int]) -> tuple[Key, dict[str, int], Any]:
        self._check_call(policy)
        with self._lock:
            if key not in self._records:
                raise exception.RecordNotFound
            found = self._records[key]
            return key, {"gen": 1}, {each["bin"]: _get_by_key_range(found, each) for each in operations}

    def truncate(self, namespace: str, set_name: str, nanos: int) -> int:
        self._check_call({})
        assert nanos == 0
        with self._lock:
            self._records = {key: bins for key, bins in self._records.items() if key[:2] != (namespace, set_name)}
        return 0

    def close(self) -> None:
        self.away = True

    def _check_call(self, policy: dict[str, int]) -> None:
        assert set(policy) <= CALL_POLICIES
        if self.away:
            raise exception.ClientError

    def _write(self, record: Write) -> int:
        assert record.policy == {"ttl": aerospike.TTL_NEVER_EXPIRE}
        assert isinstance(record.key[2], str)
        if codes := self._faults.get(record.key[2]):
            return codes.pop(0)
        bins = copy.deepcopy(self._records.get(record.key, {}))
        try:
            for operation in record.ops:
                WRITES[operation["op"]](bins, operation)
            _check_size(bins, self._max_record_size)
        except Refused as refused:
            return refused.code
        self._records[record.key] = bins
        return 0


def _map_put(bins: Bins, operation: Operation) -> None:
    _check_keys(operation, {"op", "bin", "key", "val", "map_policy"})
    assert operation["map_policy"]["map_order"] == aerospike.MAP_KEY_ORDERED
    if not isinstance(operation["key"], bytes | str | int):
        raise Refused(PARAMETER_ERROR)  # servers of today take no lists and no floats for map keys
    assert isinstance(operation["val"], bytes)
    bins.setdefault(operation["bin"], {})[operation["key"]] = operation["val"]


def _remove_by_index_range(bins: Bins, operation: Operation) -> None:
    _check_keys(operation, {"op", "bin", "index", "val", "return_type", "inverted"})
    assert operation["return_type"] == aerospike.MAP_RETURN_NONE
    found = bins[operation["bin"]]
    start = operation["index"] + (len(found) if operation["index"] < 0 else 0)
    chosen = sorted(found)[max(start, 0) : max(start + operation["val"], 0)]
    assert operation["inverted"] is True
    bins[operation["bin"]] = {key: found[key] for key in chosen}


def _get_by_key_range(bins: Bins, operation: Operation) -> list[bytes] | None:
    _check_keys(operation, {"op", "bin", "key", "range", "return_type", "inverted"})
    assert operation["op"] == aerospike.OP_MAP_GET_BY_KEY_RANGE
    assert operation["return_type"] == aerospike.MAP_RETURN_VALUE
    assert operation["inverted"] is False
    if operation["bin"] not in bins:
        return None
    found = bins[operation["bin"]]
    return [found[key] for key in sorted(found) if operation["key"] <= key < operation["range"]]


def _check_keys(operation: Operation, known: set[str]) -> None:
    assert set(operation) == known, operation
    if len(operation["bin"]) > MAX_BIN_NAME:
        raise Refused(BIN_NAME)


def _check_size(bins: Bins, limit: int) -> None:
    entries = [(key, value) for each in bins.values() for key, value in each.items()]
    if sum(len(key) + len(value) + ENTRY_OVERHEAD for key, value in entries) > limit:
        raise Refused(TOO_BIG)


WRITES: dict[int, Callable[[Bins, Operation], None]] = {
    aerospike.OP_MAP_PUT: _map_put,
    aerospike.OP_MAP_REMOVE_BY_INDEX_RANGE: _remove_by_index_range,
}
