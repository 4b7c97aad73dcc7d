"""Connection pools for what only reads."""

from typing import Any

from psycopg_pool import AsyncConnectionPool

# A reason beside each; `python -m bench.queries` shows what they give.
_OPTIONS = " ".join(
    [
        "-c plan_cache_mode=force_custom_plan",  # a generic plan locks every hour there is, this one the hours it reads
        "-c enable_seqscan=off",  # an hour is 3.6 million rows: without statistics a scan looks cheap to the planner
        # Index entries of one key and minute lie in the order of the table, so a plain index scan jumps no more than a
        # bitmap would, and needs no sort: 7.5 ms instead of 16.7 for one category, 8,000 rows out of 5,000 pages.
        "-c enable_bitmapscan=off",
        "-c max_parallel_workers_per_gather=0",  # starting a worker costs more than these queries
        "-c jit=off",  # so does compiling them
        "-c statement_timeout=30s",
    ]
)


def for_queries(conninfo: str, *, max_size: int = 4, timeout_seconds: float = 10.0) -> AsyncConnectionPool[Any]:
    """A pool that is not open yet: `async with` it, or open() and close() it.

    Connections are checked when they are taken, so that one broken by a failover is replaced and not handed out. Taking
    one raises psycopg_pool.PoolTimeout after `timeout_seconds`.
    """
    return AsyncConnectionPool(
        conninfo,
        kwargs={"options": _OPTIONS, "autocommit": True},
        min_size=1,
        max_size=max_size,
        timeout=timeout_seconds,
        check=AsyncConnectionPool.check_connection,
        open=False,
        name="queries",
    )
