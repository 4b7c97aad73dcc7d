"""What the server says when it does not do what it was asked: psycopg's exceptions, as the client gets them."""

from enum import StrEnum

import psycopg
from psycopg.pq import DiagnosticField


class State(StrEnum):
    """SQLSTATEs, by the names that PostgreSQL gives them; the first is of advance_flush."""

    OFFSET_MOVED = "AZ001"
    NUMERIC_VALUE_OUT_OF_RANGE = "22003"
    DATETIME_FIELD_OVERFLOW = "22008"
    CHARACTER_NOT_IN_REPERTOIRE = "22021"
    BAD_COPY_FILE_FORMAT = "22P04"
    CHECK_VIOLATION = "23514"
    READ_ONLY_SQL_TRANSACTION = "25006"
    IN_FAILED_SQL_TRANSACTION = "25P02"
    IDLE_IN_TRANSACTION_SESSION_TIMEOUT = "25P03"
    DEADLOCK_DETECTED = "40P01"
    DISK_FULL = "53100"
    PROGRAM_LIMIT_EXCEEDED = "54000"
    LOCK_NOT_AVAILABLE = "55P03"
    QUERY_CANCELED = "57014"
    ADMIN_SHUTDOWN = "57P01"


def refusal(state: State, message: str, constraint: str | None = None) -> psycopg.Error:
    """The exception that psycopg makes of an error report with these fields."""
    fields = {DiagnosticField.SQLSTATE: state.encode(), DiagnosticField.MESSAGE_PRIMARY: message.encode()}
    if constraint is not None:
        fields[DiagnosticField.CONSTRAINT_NAME] = constraint.encode()
    return _kind(state)(message, info=fields)  # type: ignore[arg-type]  # what a pickled one has, too


def connection_lost() -> psycopg.Error:
    """What a client sees whose connection is gone: no report of the server, so no SQLSTATE."""
    return psycopg.OperationalError("consuming input failed: server closed the connection unexpectedly")


def connection_closed() -> psycopg.Error:
    """What a client sees who goes on using a connection after it was lost or closed."""
    return psycopg.OperationalError("the connection is closed")


def connection_refused() -> psycopg.Error:
    return psycopg.OperationalError("connection failed: connection refused")


def canceled_by_user() -> psycopg.Error:
    return refusal(State.QUERY_CANCELED, "canceling statement due to user request")


def statement_timeout() -> psycopg.Error:
    return refusal(State.QUERY_CANCELED, "canceling statement due to statement timeout")


def idle_too_long() -> psycopg.Error:
    return refusal(
        State.IDLE_IN_TRANSACTION_SESSION_TIMEOUT, "terminating connection due to idle-in-transaction timeout"
    )


def shut_down() -> psycopg.Error:
    return refusal(State.ADMIN_SHUTDOWN, "terminating connection due to administrator command")


def _kind(state: State) -> type[psycopg.Error]:
    try:
        return psycopg.errors.lookup(state)
    except KeyError:
        return psycopg.DatabaseError  # psycopg's choice for classes it does not know
