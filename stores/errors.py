"""Every error that this package raises on purpose.

StoreError
├── MigrationError
│   ├── MigrationChanged      an applied migration's file is not what was applied
│   └── WrongEncoding         the database cannot hold every text
├── RolesRefused              a role cannot be made or changed as things are; says what to do
├── AggregatesUnavailable     PostgreSQL does not answer a query; try again later
├── ProfileStoreError
│   ├── ProfileStoreUnavailable   nothing was reached; try again later
│   └── PartialWrite              some writes of a batch failed; names them
└── FlushError                    a write of the aggregates worker did not end in a plain commit
    ├── StoreUnavailable          nothing was written; try again later
    ├── OutcomeUnknown            written or not: ask for the settled offsets
    ├── OffsetMoved               nothing was written: an offset is elsewhere
    ├── HourMissing               nothing was written: an hour of event time has no table
    ├── BadData                   nothing was written: PostgreSQL refuses a value
    └── TopicReplaced             the group has offsets on another topic of this name

Errors of PostgreSQL itself (psycopg.Error) pass through unchanged wherever the caller owns the transaction: it has to
tell a lost connection from bad data, and the SQLSTATE says which.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import psycopg

if TYPE_CHECKING:
    from stores.profiles import FailedWrite


class StoreError(Exception):
    """The root: whatever a store could not do."""


class MigrationError(StoreError):
    """The schema could not be brought up to date."""


class MigrationChanged(MigrationError):
    """A migration was edited after it had been applied to this database."""

    def __init__(self, number: int, name: str) -> None:
        super().__init__(
            f"migration {number:04d} ({name}) was applied to this database with another text; "
            "put the file back as it was and write the change as a new migration"
        )
        self.number = number
        self.name = name


class WrongEncoding(MigrationError):
    """The database was made with an encoding that cannot hold every text of an event."""

    def __init__(self, database: str, encoding: str) -> None:
        super().__init__(
            f"database {database} has the encoding {encoding}, and events have texts of any language: make another, "
            "CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8', and restore a dump of this one if it has data"
        )


class RolesRefused(StoreError):
    """A role cannot be made or changed as things are; the message says what to do."""

    @classmethod
    def not_superuser(cls, role: str) -> Self:
        return cls(f"DB_USER={role} is no superuser: roles, and who owns what, are made by one")

    @classmethod
    def unknown_role(cls, role: str) -> Self:
        return cls(f"there is no role {role}: nothing was changed")

    @classmethod
    def made_by_roles(cls, role: str) -> Self:
        return cls(f"the password of {role} is set by `python -m stores roles`, from its own setting")


class AggregatesUnavailable(StoreError):
    """PostgreSQL does not answer a query: it is away, or takes too long."""


class ProfileStoreError(StoreError):
    """A profile store could not do what it was asked."""


class ProfileStoreUnavailable(ProfileStoreError):
    """The store is away or too slow: a write may have been made or not, and may be made again."""


class PartialWrite(ProfileStoreError):
    """Some writes of a batch failed, all others are stored."""

    def __init__(self, failed: Sequence["FailedWrite"]) -> None:
        reasons = ", ".join(sorted({failure.reason for failure in failed}))
        super().__init__(f"{len(failed)} writes failed: {reasons}")
        self.failed = tuple(failed)


class FlushError(StoreError):
    """A write of the aggregates worker that did not end in a plain commit."""


class StoreUnavailable(FlushError):
    """PostgreSQL is away, read-only, full or busy: nothing was written, the same write may go through later."""


class OutcomeUnknown(FlushError):
    """The connection went while the transaction ended: only the stored offsets tell whether it was committed."""


class OffsetMoved(FlushError):
    """A stored offset was not where the write began: another worker moved it, or this write was made before."""


class HourMissing(FlushError):
    """No table for an hour of event time that the write has rows of."""


class BadData(FlushError):
    """PostgreSQL refuses a value of the write; trying it again changes nothing."""


class TopicReplaced(FlushError):
    """The topic was deleted and made anew: its old offsets mean nothing in it."""

    def __init__(self, group: str, topic: str, topic_id: str, others: Sequence[str]) -> None:
        super().__init__(
            f"topic {topic} has the id {topic_id}, but group {group} has stored offsets of {', '.join(others)}: "
            "the topic was deleted and made anew. Sums counted so far stay. To count the new topic from its beginning "
            "run `python -m pipeline adopt-topic`; to count everything anew, empty the database first"
        )


_PASSING_CLASSES = ("08", "40", "53", "57", "58")
"""Connection, rollback (serialization, deadlock), resources, operator intervention, system error."""
_PASSING_STATES = ("25006", "25P02", "25P03", "25P04", "55006", "55P03")
"""Read-only (a failover is on), an ended or timed-out transaction, object in use, lock not available."""


def is_passing(error: psycopg.Error) -> bool:
    """Whether the same statements may go through later: the server is away, read-only, full or busy."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate.startswith(_PASSING_CLASSES) or error.sqlstate in _PASSING_STATES


_OUT_OF_NUMBERS = ("varsup.c", "multixact.c")
"""Where PostgreSQL's source refuses to give out transaction ids until it is vacuumed (wraparound), with 54000 too."""


def refuses_value(error: psycopg.Error) -> bool:
    """Whether the server, or psycopg before it, does not take a value: the same row fails whenever it is tried again.

    Of class 54 it is 54000 alone, which an index says of a text too long for it; the others (54001, 54011, 54023) are
    about a statement, whatever its values.
    """
    if isinstance(error, psycopg.DataError) or (error.sqlstate or "").startswith("22"):
        return True
    return isinstance(error, psycopg.errors.ProgramLimitExceeded) and error.diag.source_file not in _OUT_OF_NUMBERS


def unavailable(error: psycopg.Error | TimeoutError) -> StoreUnavailable:
    """What is worth another try. A defect or a missing right is raised as it is."""
    if isinstance(error, psycopg.Error) and not is_passing(error):
        raise error
    return StoreUnavailable(str(error) or "PostgreSQL did not answer in time")
