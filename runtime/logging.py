"""Structured logs: one event a line, JSON in containers, readable on a terminal (docs/operations/logs.md).

Libraries that log through the standard library (Faust, aiokafka, uvicorn, psycopg) come out in the same form, and so do
warnings and exceptions that nobody caught. No cookie, token or payload goes into a line: see runtime/tracebacks.py for
what exceptions may say. Libraries are heard from `info` on, whatever LOG_LEVEL is: below it they print what they carry.
"""

import contextlib
import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from runtime import hooks, settings, tracebacks

FIELDS: Final = ("time", "level", "service", "logger", "event")
"""Every line has these, in this order and before all others."""

OURS: Final = ("__main__", "broker", "gateway", "pipeline", hooks.LOGGER, "runtime", "schemas", "stores")
MAX_CHARACTERS: Final = 8_000
"""Of one field: a log driver cuts a line at 16 KiB."""

_ASYNCIO: Final = "asyncio"
_REPRS: Final = re.compile(r"[\n(<]")


def configure(chosen: settings.Settings, service: str) -> None:
    """Send every log of this process to standard error in the form and from the level that the settings ask for.

    `service` is what the process is, as metrics have it: `gateway`, `aggregates`, `profiles`, or a command's name.
    """
    console = chosen.log_format == "console" or (chosen.log_format == "auto" and sys.stderr.isatty())
    level = logging.getLevelNamesMapping()[chosen.log_level.upper()]
    handler = _Handler(service)
    handler.addFilter(_tame)
    handler.setFormatter(_formatter(service, console))
    logging.basicConfig(handlers=[handler], level=max(level, logging.INFO), force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)
    hooks.install()
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose events carry `name` and the keyword arguments given to each call."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


class _Handler(logging.StreamHandler[Any]):
    """A record that cannot be formatted is a line too: by default it would be a traceback, with what it was given."""

    def __init__(self, service: str) -> None:
        super().__init__(sys.stderr)
        self._service = service

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        fields = _fixed(record, self._service, "a log line could not be made")
        if error is not None:
            fields["error"] = tracebacks.words(error)
        with contextlib.suppress(OSError):  # nobody reads the log, and there is no other place to say it
            self.stream.write(json.dumps(fields) + self.terminator)


def _tame(record: logging.LogRecord) -> bool:
    """What libraries put into their messages: exceptions among the arguments, and all that a loop knows of a task."""
    if isinstance(record.args, tuple):
        record.args = tuple(tracebacks.words(arg) if isinstance(arg, BaseException) else arg for arg in record.args)
    if record.name == _ASYNCIO and record.levelno >= logging.WARNING:
        # "Exception in callback f('an argument')", and below it the reprs of futures with their exceptions.
        record.msg, record.args = _REPRS.split(record.getMessage(), maxsplit=1)[0], ()
    return True


def _formatter(service: str, console: bool) -> logging.Formatter:
    last: Any = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), timestamp_key="time") if console else _line

    def complete(_logger: Any, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
        return _complete(event, service)

    return structlog.stdlib.ProcessorFormatter(processors=[complete, last])


def _complete(event: Mapping[str, Any], service: str) -> dict[str, Any]:
    """All that a line has, of an event of ours or of a library."""
    fields = _fixed(event["_record"], service, str(event["event"]).strip())
    given = {name: value for name, value in event.items() if name not in _NOT_FIELDS and name not in fields}
    fields.update((name, _cut(value)) for name, value in given.items())
    if (error := _exception(event.get("exc_info"))) is not None:
        fields["exception"] = _cut(tracebacks.render(error))
    return fields


_NOT_FIELDS: Final = frozenset({"_record", "_from_structlog", "exc_info", "stack_info", "stack"})


def _fixed(record: logging.LogRecord, service: str, event: str) -> dict[str, Any]:
    time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    values = (time, record.levelname.lower(), service, record.name, _cut(event))
    return dict(zip(FIELDS, values, strict=True))


def _exception(given: Any) -> BaseException | None:
    """What was given as `exc_info`, in any of the forms that the standard library takes."""
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        error: BaseException | None = given[1]
        return error
    return sys.exc_info()[1] if given else None


def _cut(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= MAX_CHARACTERS:
        return value
    half = MAX_CHARACTERS // 2
    return f"{value[:half]} … {value[-half:]}"


def _line(_logger: Any, _method: str, fields: Mapping[str, Any]) -> str:
    """ASCII alone: whatever the locale is, and however a reader tells lines apart."""
    return json.dumps(fields, default=_plain)


def _plain(value: Any) -> str:
    return tracebacks.words(value) if isinstance(value, BaseException) else str(value)
