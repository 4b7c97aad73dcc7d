"""The log of a process, held to docs/operations/logs.md line by line."""

import json
import re
from typing import Any, Final

from runtime import logging

LEVELS: Final = {"debug", "info", "warning", "error", "critical"}
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")
MAX_BYTES: Final = 16_384
"""A log driver of Docker cuts a longer line in two."""


def of(service: str, text: str) -> list[dict[str, Any]]:
    """Every line of `text`, the log of a process of that service; an assertion fails at one that is not as it is to
    be. What a running process has begun to write is no line yet."""
    lines = [_read(line) for line in text[: text.rfind("\n") + 1].splitlines()]
    assert {line["service"] for line in lines} <= {service}
    return lines


def _read(text: str) -> dict[str, Any]:
    try:
        line: dict[str, Any] = json.loads(text)
    except ValueError as error:
        message = f"a line of the log is no JSON: {text!r}"
        raise AssertionError(message) from error
    assert tuple(line)[: len(logging.FIELDS)] == logging.FIELDS, text
    assert all(isinstance(line[name], str) and line[name] for name in logging.FIELDS), text
    assert TIME.fullmatch(line["time"]), text
    assert line["level"] in LEVELS, text
    assert TRACE_ID.fullmatch(line.get("trace_id") or "0" * 32), text
    assert len(text) <= MAX_BYTES, text
    return line
