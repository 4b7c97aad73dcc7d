"""One event a line, in one form, whoever logs."""

import asyncio
import gc
import json
import logging
import re
import sys
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
import structlog
import uvloop

import runtime.logging
from runtime.settings import Settings


class Place(NamedTuple):
    """Libraries log such, and their form is in the message."""

    topic: str
    partition: int


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Other tests log as they did."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook, sys.unraisablehook)
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    structlog.reset_defaults()
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    root.handlers[:], root.level = handlers, level
    for name in runtime.logging.OURS:
        logging.getLogger(name).setLevel(logging.NOTSET)


def configured(form: str, level: str = "info") -> None:
    runtime.logging.configure(Settings.model_validate({"log_format": form, "log_level": level}), "gateway")


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_an_event_is_one_line_of_json_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configured("json")
    runtime.logging.get_logger("here").warning("it happened", count=3, text="zażółć\nline\u2028\x85\ud800")
    [line] = lines(capsys)
    assert tuple(line)[: len(runtime.logging.FIELDS)] == runtime.logging.FIELDS
    assert (line["event"], line["count"], line["text"]) == ("it happened", 3, "zażółć\nline\u2028\x85\ud800")
    assert (line["level"], line["service"], line["logger"]) == ("warning", "gateway", "here")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(line["time"]))
    assert abs(datetime.fromisoformat(str(line["time"])) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_field_given_to_a_call_takes_the_place_of_none_that_every_line_has(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configured("json")
    runtime.logging.get_logger("here").info("it happened", time="then", level="low", service="other", logger="there")
    [line] = lines(capsys)
    assert (line["level"], line["service"], line["logger"]) == ("info", "gateway", "here")


def test_values_of_any_kind_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    configured("json")
    values = {"id": uuid.UUID(int=1), "offsets": {0: 5}, "error": KeyError("cookie-1"), "at": datetime.now(UTC)}
    runtime.logging.get_logger("here").info("it happened", **values)
    [line] = lines(capsys)
    assert line["offsets"] == {"0": 5}
    assert "cookie-1" not in str(line)


def test_fields_of_any_length_and_language_leave_the_line_short_enough_for_a_log_driver(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configured("json")
    runtime.logging.get_logger("here").info("it happened", text="日" * 8_000, difference=["Żółć" * 125] * 20)
    logging.getLogger("library").error('"\n' * 8_000, exc_info=RuntimeError("日" * 8_000))
    found = capsys.readouterr().err.splitlines(keepends=True)
    assert [json.loads(line)["level"] for line in found] == ["info", "error"]
    assert all(len(line.encode()) < 16_384 for line in found)


def test_libraries_come_out_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configured("json")
    logging.getLogger("library").error("failed: %s\nbadly", "why")
    [line] = lines(capsys)
    assert (line["event"], line["level"], line["logger"]) == ("failed: why\nbadly", "error", "library")
    assert tuple(line)[: len(runtime.logging.FIELDS)] == runtime.logging.FIELDS


def test_an_exception_in_the_message_of_a_library_says_no_more_than_one_of_ours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configured("json")
    logging.getLogger("library").error("crashed: %r, %s", KeyError("cookie-1"), OSError("no disk"))
    [line] = lines(capsys)
    assert "KeyError" in str(line["event"])
    assert "no disk" in str(line["event"])
    assert "cookie-1" not in str(line)


@pytest.mark.parametrize(
    ("message", "args"),
    [
        ("%(x)s", ({"x": KeyError("cookie-1")},)),
        ("%s", ([KeyError("cookie-1"), (KeyError("cookie-1"),)],)),
        (KeyError("cookie-1"), ()),
    ],
)
@pytest.mark.parametrize("form", ["json", "console"])
def test_nor_does_one_in_whatever_it_is_given(
    form: str, message: Any, args: tuple[object, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    configured(form)
    logging.getLogger("library").error(message, *args)
    runtime.logging.get_logger("here").error(message, given=args)
    assert (told := capsys.readouterr().err).count("KeyError") >= 1 + len(args)
    assert "cookie-1" not in told


def test_what_holds_no_exception_is_told_as_its_library_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    configured("json")
    logging.getLogger("library").info("%s of %d, %s", Place("user-tags", 3), 5, {"a": (1, 2)})
    assert [line["event"] for line in lines(capsys)] == ["Place(topic='user-tags', partition=3) of 5, {'a': (1, 2)}"]


def test_other_handlers_get_the_record_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    configured("json")
    error, kept = KeyError("cookie-1"), list[logging.LogRecord]()
    other = logging.Handler()
    other.emit = kept.append  # type: ignore[method-assign,assignment]
    logging.getLogger().addHandler(other)
    logging.getLogger("library").error("crashed: %r", error)
    assert kept[0].args == (error,)
    assert "cookie-1" not in str(lines(capsys))


def test_warnings_come_out_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configured("json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)  # the block above has put Python's own way back in its place
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    [line] = lines(capsys)
    assert (line["logger"], line["level"]) == ("py.warnings", "warning")
    assert "DeprecationWarning: old" in str(line["event"])


@pytest.mark.parametrize("make", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_what_an_event_loop_finds_is_told_without_what_the_task_had(
    make: Callable[[], asyncio.AbstractEventLoop], capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(cookie: str) -> None:
        raise KeyError(cookie)

    def fall(cookie: str) -> None:
        raise KeyError(cookie)

    async def leave_it() -> None:
        asyncio.get_running_loop().call_soon(fall, "cookie-1")
        task = asyncio.ensure_future(fail("cookie-1"))
        await asyncio.wait([task])

    configured("json")
    with asyncio.Runner(loop_factory=make) as runner:
        runner.run(leave_it())
        gc.collect()
    found = lines(capsys)
    assert sorted(str(line["event"])[:21] for line in found) == ["Exception in callback"[:21], "Task exception was ne"]
    assert all(line["logger"] == "asyncio" and "in fa" in str(line["exception"]) for line in found)
    assert "cookie-1" not in str(found)


def test_an_exception_with_its_stack_is_still_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    configured("json")
    try:
        raise OSError("why")  # noqa: EM101
    except OSError as error:
        runtime.logging.get_logger("here").error("it failed", exc_info=error)
        logging.getLogger("library").exception("it failed")
    ours, theirs = lines(capsys)
    assert str(ours["exception"]).startswith("Traceback")
    assert str(ours["exception"]).endswith("OSError: why")
    assert ours["exception"] == theirs["exception"]


def test_a_message_that_cannot_be_made_is_a_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    configured("json")
    logging.getLogger("library").warning("%d of them", "cookie-1")
    [line] = lines(capsys)
    assert (line["event"], line["logger"]) == ("a log line could not be made", "library")
    assert "cookie-1" not in str(line)


@pytest.mark.parametrize("form", ["json", "console"])
def test_who_logs_what_cannot_be_told_goes_on(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    class Wordless(Exception):
        def __str__(self) -> str:
            raise ValueError("cookie-1")  # noqa: EM101

    configured(form)
    logging.getLogger("library").error("crashed: %s", Wordless())
    logging.getLogger("asyncio").error("%d of them", "cookie-1")
    runtime.logging.get_logger("here").error("it failed", error=Wordless(), exc_info=Wordless())
    said = capsys.readouterr().err
    assert said.count("it failed") == said.count("a log line could not be made") == 1
    assert said.count("Wordless") == 3
    assert "cookie-1" not in said


def test_libraries_do_not_print_what_they_carry_even_where_everything_is_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configured("json", "debug")
    logging.getLogger("library").debug("payload")
    runtime.logging.get_logger("pipeline.sink").debug("ours")
    assert [line["event"] for line in lines(capsys)] == ["ours"]


def test_what_lies_below_the_level_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configured("json", "error")
    runtime.logging.get_logger("here").warning("quiet")
    logging.getLogger("library").info("quiet")
    assert lines(capsys) == []


def test_a_terminal_gets_readable_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configured("console")
    runtime.logging.get_logger("here").info("it happened", count=3)
    assert "it happened" in (said := capsys.readouterr().err)
    assert "count=3" in said


def test_a_terminal_gets_no_more_of_an_exception_than_a_collector(capsys: pytest.CaptureFixture[str]) -> None:
    configured("console")
    runtime.logging.get_logger("here").info(
        "it happened", error=KeyError("cookie-1"), errors={"a": KeyError("cookie-1")}
    )
    assert (said := capsys.readouterr().err).count("KeyError") == 2
    assert "cookie-1" not in said
