"""What a row of aggregates costs on its way to PostgreSQL, in us of this process's CPU: `python -m bench.copying`.

Our own binary COPY stream beside psycopg's row writer, binary and text, into one bare table of the same columns.
"""

import datetime
import time
from collections.abc import Callable, Sequence

import psycopg

from bench import events, workers
from stores import copying

ROWS = 20_000
ROUNDS = 10
TABLE = """
    CREATE TABLE bare (time timestamptz, action text, origin text, brand_id text, category_id text,
                       count bigint, sum_price bigint)
"""
TYPES = ["timestamptz", "text", "text", "text", "text", "int8", "int8"]
Row = tuple[copying.Item, int, int]


def main() -> None:
    """Measure and print."""
    sums: events.Sums = {}
    for tag in events.make(ROWS, seed=1):
        events.add(sums, tag)
    rows = [(item, count, price) for item, (count, price) in sums.items()]
    print(f"encode alone                {_best(lambda: copying.encode(rows), len(rows)):5.2f} us a row")
    with workers.servers() as servers:
        database = servers.database("copying")
        with psycopg.connect(database.conninfo(), autocommit=True) as conn:
            conn.execute(TABLE)
            for name, write in (("encode and COPY", _own), ("psycopg, binary rows", _binary), ("psycopg, text", _text)):
                print(f"{name:27} {_best(lambda write=write: write(conn, rows), len(rows)):5.2f} us a row")  # type: ignore[misc]


def _own(conn: psycopg.Connection, rows: Sequence[Row]) -> None:
    with conn.cursor().copy("COPY bare FROM STDIN (FORMAT binary)") as copy:
        copy.write(copying.encode(rows))


def _binary(conn: psycopg.Connection, rows: Sequence[Row]) -> None:
    with conn.cursor().copy("COPY bare FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(TYPES)
        for (minute, *names), count, price in rows:
            copy.write_row((_moment(minute), *names, count, price))


def _text(conn: psycopg.Connection, rows: Sequence[Row]) -> None:
    with conn.cursor().copy("COPY bare FROM STDIN") as copy:
        for (minute, *names), count, price in rows:
            copy.write_row((_moment(minute), *names, count, price))


def _moment(minute: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(minute * 60, datetime.UTC)


def _best(call: Callable[[], object], rows: int) -> float:
    costs = []
    for _ in range(ROUNDS):
        began = time.process_time()
        call()
        costs.append((time.process_time() - began) / rows * 1e6)
    return min(costs)


if __name__ == "__main__":
    main()
