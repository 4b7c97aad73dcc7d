"""PostgreSQL in memory, below psycopg: the stores' own code runs on it, with faults to order.

    server = FakePostgres(hours=[HOUR], pause=lambda: rng.expovariate(1000))
    flushes = PostgresFlushes("worker 1", consumer, connect=server.connect)      # the real one
    letters = PostgresLetters("worker 2", consumer, connect=server.connect)
    keeper = PostgresHours(settings, connect=server.connect)
    server.tables.sums                                                          # what is committed

The conninfo is the client's name: faults address it. Everything takes its time from the running loop's clock, and its
tasks run in the context that the server was made in; no threads, no real clock.

    server.strike("advance_and_commit", Fate.CUT_AFTER, late_s=3)    # COMMIT of unknown outcome, done 3 s later
    server.strike("advance_and_commit", Fate.CUT_BEFORE)             # and one that never arrives
    server.strike("read_settled", Fate.DELIVERED, late_s=5)          # a slow one
    server.cut("worker 1", delivered=False)                          # the network drops its connections, now
    server.vanish("worker 1")        # SIGKILL: what it sent is still obeyed; a name that vanished connects no more
    server.stop(), .crash(), .start()                                # told so (57P01), or without words
    server.freeze(), .thaw()                                         # SIGSTOP: what arrives waits, and is obeyed later
    server.fail_over(lost=2)         # every connection lost, and the last two commits that wrote something
    server.engine.disk_full = True   # 53100 at the end of a COPY
    server.engine.read_only = True   # 25006

It models: backends that live on without their client, transactions (changes that nobody sees before the commit, failed
ones, an implicit one a statement), row locks in the order asked for, with lock_timeout, statement_timeout and
deadlocks, waiting inserts of one key, idle_in_transaction_session_timeout, cancel requests and what psycopg does with
a cancelled call, binary COPY decoded row by row with the server's objections (22021, 22008, 22P04, 23514), the offsets'
compare-and-set (AZ001), hours that are made.

It does not: SQL (it knows the texts in stores/sql that aggregates and profiles workers send for each event, and raises
NotImplementedError for any other, those of hours made ahead included); table locks, so no dropping of hours; replayed
or mended letters; savepoints; a network that swallows messages without an end; commits that a cancel request finds
half done; an old primary that still takes commits.

tests/contract holds it to what the real one does: test_flushes.py, test_hours.py, test_letters.py.
"""

from tests.support.fakes.postgres.messages import Fate, Message, Result
from tests.support.fakes.postgres.server import FakePostgres
from tests.support.fakes.postgres.sessions import Session

__all__ = ["FakePostgres", "Fate", "Message", "Result", "Session"]
