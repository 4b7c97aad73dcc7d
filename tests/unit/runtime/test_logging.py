"""One event a line, in one form, whoever logs."""

import json
import logging
from collections.abc import Iterator

import pytest

import runtime.logging
from runtime.settings import Settings


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Other tests log as they did."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level = handlers, level


def configured(form: str, level: str = "info") -> None:
    runtime.logging.configure(Settings.model_validate({"log_format": form, "log_level": level}))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_an_event_is_one_line_of_json_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configured("json")
    runtime.logging.get_logger("here").warning("it happened", count=3, text="zażółć\nline")
    [line] = lines(capsys)
    assert (line["event"], line["count"], line["text"]) == ("it happened", 3, "zażółć\nline")
    assert (line["level"], line["logger"]) == ("warning", "here")
    assert str(line["timestamp"]).endswith("Z")


def test_libraries_come_out_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configured("json")
    logging.getLogger("library").error("failed: %s", "why")
    [line] = lines(capsys)
    assert (line["event"], line["level"], line["logger"]) == ("failed: why", "error", "library")


def test_an_exception_with_its_stack_is_still_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    configured("json")
    try:
        raise ValueError("why")  # noqa: EM101
    except ValueError as error:
        runtime.logging.get_logger("here").error("it failed", exc_info=error)
    [line] = lines(capsys)
    assert "ValueError: why" in str(line["exception"])


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
