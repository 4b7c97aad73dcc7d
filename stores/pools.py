"""Connection pools, and the options of their sessions."""

from typing import Any

from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[Any]

# Every query here is written for one index and takes a handful of milliseconds. Sequential scans look cheap to the
# planner where a table has no statistics yet. Index entries of one key lie in the order of the table, so a plain index
# scan jumps no more than a bitmap would, and needs no sort: 7.5 ms instead of 16.7 for the aggregates of one category,
# 8,000 rows out of 5,000 pages (`python -m bench.queries`). Parallel workers, or compiling, cost more than a query.
_BY_INDEX = (
    "-c enable_seqscan=off -c enable_bitmapscan=off -c max_parallel_workers_per_gather=0 -c jit=off "
    "-c statement_timeout=30s"
)


def for_queries(conninfo: str, *, max_size: int = 4, timeout_seconds: float = 10.0) -> Pool:
    """For AggregatesReader. Plans know the values: a generic one would lock every hour there is, not those it reads."""
    return _pool("queries", conninfo, f"{_BY_INDEX} -c plan_cache_mode=force_custom_plan", max_size, timeout_seconds)


def for_profiles(conninfo: str, *, max_size: int = 4, timeout_seconds: float = 10.0) -> Pool:
    """For PostgresProfiles."""
    return _pool("profiles", conninfo, _BY_INDEX, max_size, timeout_seconds)


def _pool(name: str, conninfo: str, options: str, max_size: int, timeout_seconds: float) -> Pool:
    """A pool that is not open yet: `async with` it, or open() and close() it.

    Connections are checked when they are taken, so that one broken by a failover is replaced and not handed out. Taking
    one raises psycopg_pool.PoolTimeout after `timeout_seconds`.
    """
    return AsyncConnectionPool(
        conninfo,
        kwargs={"options": options, "autocommit": True},
        min_size=1,
        max_size=max_size,
        timeout=timeout_seconds,
        # Attempts back off exponentially until this, then start anew with the next who asks: with the default of 300 s
        # queries came back 12 s after a server that had been away for 20 s, with 2 s after 0.7 s.
        reconnect_timeout=2.0,
        check=AsyncConnectionPool.check_connection,
        open=False,
        name=name,
    )
