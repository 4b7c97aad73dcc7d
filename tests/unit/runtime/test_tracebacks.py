"""An exception says where and of which class it is; in its own words only where they can quote no event."""

import asyncio
from typing import Any

import psycopg
import pytest
from aiokafka.errors import KafkaConnectionError

from broker.errors import TopicMissing
from pipeline.errors import Stalled
from runtime import tracebacks
from stores.errors import BadData, StoreUnavailable

COOKIE = "cookie-17"


def caused(error: BaseException, by: BaseException) -> BaseException:
    error.__cause__ = by
    return error


def during(error: BaseException, other: BaseException) -> BaseException:
    error.__context__ = other
    return error


def unchained(error: BaseException, other: BaseException) -> BaseException:
    """Raised `from None`."""
    error.__context__, error.__suppress_context__ = other, True
    return error


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
        caused(StoreUnavailable("away"), caused(TimeoutError(), asyncio.CancelledError())),
        caused(RuntimeError("closed"), KeyError()),
    ],
)
def test_errors_that_speak_of_servers_and_of_the_program_are_told_in_their_words(error: BaseException) -> None:
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
        caused(RuntimeError(COOKIE), caused(OSError(COOKIE), KeyError(COOKIE))),
        during(RuntimeError(COOKIE), KeyError(COOKIE)),
        during(RuntimeError(COOKIE), caused(OSError(COOKIE), KeyError(COOKIE))),
        caused(RuntimeError(COOKIE), during(OSError(COOKIE), KeyError(COOKIE))),
        unchained(RuntimeError(COOKIE), KeyError(COOKIE)),
    ],
)
def test_all_others_are_told_by_their_class_alone(error: BaseException) -> None:
    assert COOKIE not in tracebacks.words(error) + tracebacks.render(error)
    assert type(error).__name__ in tracebacks.words(error)


def test_an_error_without_words_is_its_class() -> None:
    assert tracebacks.words(KeyError()) == "KeyError"


def test_an_error_that_cannot_say_its_words_is_told_all_the_same() -> None:
    class Wordless(OSError):
        def __str__(self) -> str:
            raise ValueError(COOKIE)

    assert tracebacks.words(Wordless()) == "Wordless: (ValueError from its words)"
    assert COOKIE not in tracebacks.render(Wordless())


def test_exceptions_anywhere_in_a_value_are_told_by_their_words() -> None:
    given = {"a": [OSError("no disk"), (KeyError(COOKIE), 1)], "b": {KeyError(COOKIE)}, "c": 2}
    told = tracebacks.in_words(given)
    assert told["a"][0] == "OSError: no disk"
    assert (told["a"][1][1], told["c"]) == (1, 2)
    assert COOKIE not in str(told)


def test_a_value_without_exceptions_is_the_very_same() -> None:
    for value in ("a", 1, None, [1, (2, {3})], {"a": [1]}, object()):
        assert tracebacks.in_words(value) is value


def test_a_value_in_itself_has_an_end() -> None:
    circle: list[Any] = [KeyError(COOKIE)]
    circle.append(circle)
    assert COOKIE not in str(tracebacks.in_words(circle))


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
