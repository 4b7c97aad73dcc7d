"""An exception says where and of which class it is; in its own words only where they can quote no event."""

import psycopg
import pytest
from aiokafka.errors import KafkaConnectionError

from broker.errors import TopicMissing
from pipeline.errors import Stalled
from runtime import tracebacks
from stores.errors import BadData, StoreUnavailable

COOKIE = "cookie-17"


def caused(error: Exception, by: Exception) -> Exception:
    try:
        raise error from by
    except type(error) as raised:
        return raised


@pytest.mark.parametrize(
    "error",
    [
        OSError("no disk"),
        TimeoutError("no answer"),
        RuntimeError("the loop is closed"),
        psycopg.OperationalError("connection refused"),
        psycopg.errors.InsufficientPrivilege("permission denied for table"),
        KafkaConnectionError("no broker"),
        TopicMissing("user-tags"),
        Stalled("nothing moves"),
        caused(StoreUnavailable("away"), psycopg.OperationalError("away")),
    ],
)
def test_errors_that_speak_of_servers_and_of_the_program_are_told_in_their_words(error: Exception) -> None:
    assert str(error) in tracebacks.words(error)
    assert type(error).__name__ in tracebacks.words(error)


@pytest.mark.parametrize(
    "error",
    [
        KeyError(COOKIE),
        ValueError(COOKIE),
        ZeroDivisionError(COOKIE),
        AssertionError(COOKIE),
        UnicodeDecodeError("utf-8", COOKIE.encode(), 0, 1, COOKIE),
        psycopg.DataError(COOKIE),
        psycopg.errors.UniqueViolation(COOKIE),
        caused(BadData(COOKIE), psycopg.DataError(COOKIE)),
        caused(RuntimeError(COOKIE), KeyError(COOKIE)),
    ],
)
def test_all_others_are_told_by_their_class_alone(error: Exception) -> None:
    assert COOKIE not in tracebacks.words(error) + tracebacks.render(error)
    assert type(error).__name__ in tracebacks.words(error)


def test_an_error_without_words_is_its_class() -> None:
    assert tracebacks.words(KeyError()) == "KeyError"


def test_words_are_one_line_of_a_length_to_read() -> None:
    said = tracebacks.words(OSError("a\nb " + "c" * 5_000))
    assert said.startswith("OSError: a b c")
    assert len(said) < 2 * tracebacks.MAX_WORDS


def test_the_causes_come_first_each_with_its_place_and_without_its_words() -> None:
    def read() -> None:
        raise KeyError(COOKIE)

    try:
        try:
            read()
        except KeyError as error:
            message = "it failed"
            raise OSError(message) from error
    except OSError as error:
        told = tracebacks.render(error)

    assert told.index("in read") < told.index("KeyError: (its words") < told.index("OSError: (its words")
    assert COOKIE not in told


def test_what_a_group_holds_is_told_too() -> None:
    told = tracebacks.render(ExceptionGroup("of two", [KeyError(COOKIE), OSError("no disk")]))
    assert "ExceptionGroup" in told
    assert "KeyError" in told
    assert "no disk" in told
    assert COOKIE not in told


def test_errors_that_are_each_others_cause_are_told_once() -> None:
    one, other = OSError("one"), OSError("other")
    one.__cause__, other.__cause__ = other, one
    assert tracebacks.render(one).splitlines() == ["OSError: other", "OSError: one"]


def test_a_stack_of_any_depth_is_short_enough_for_a_line() -> None:
    def fall(depth: int) -> None:
        if depth == 0:
            message = "deep"
            raise OSError(message)
        fall(depth - 1)

    try:
        fall(500)
    except OSError as error:
        told = tracebacks.render(error)

    assert len(told) < 8_000
    assert told.endswith("OSError: deep")
