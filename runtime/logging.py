"""Structured logs: one event a line, JSON in containers, readable on a terminal (docs/operations/logs.md).

Libraries that log through the standard library (Faust, aiokafka, uvicorn, psycopg) come out in the same form, and so do
warnings and exceptions that nobody caught. No cookie, token or payload goes into a line: see runtime/tracebacks.py for
what exceptions may say. Libraries are heard from `info` on, whatever LOG_LEVEL is: below it they print what they carry.
"""

import contextlib
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from runtime import hooks, log_line, settings, tracebacks

FIELDS: Final = ("time", "level", "service", "logger", "event")
"""Every line has these, in this order and before all others."""

OURS: Final = ("__main__", "broker", "gateway", "pipeline", hooks.LOGGER, "runtime", "schemas", "stores")
_ASYNCIO: Final = "asyncio"
_REPRS: Final = re.compile(r"[\n(<]")


def configure(chosen: settings.Settings, service: str) -> None:
    """Send every log of this process to standard error in the form and from the level that the settings ask for.

    `service` is what the process is, as metrics have it: `gateway`, `aggregates`, `profiles`, or a command's name.
    """
    console = chosen.log_format == "console" or (chosen.log_format == "auto" and sys.stderr.isatty())
    level = logging.getLevelNamesMapping()[chosen.log_level.upper()]
    handler = _Handler(service)
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

    def format(self, record: logging.LogRecord) -> str:
        # Here, and not in a filter: what a filter raises goes to the one who logs, and not to `handleError`.
        return super().format(_tamed(record))

    def handleError(self, record: logging.LogRecord) -> None:
        error = sys.exc_info()[1]
        fields = _fixed(record, self._service, "a log line could not be made")
        if error is not None:
            fields["error"] = tracebacks.words(error)
        with contextlib.suppress(OSError):  # nobody reads the log, and there is no other place to say it
            self.stream.write(log_line.encode(fields) + self.terminator)


def _tamed(record: logging.LogRecord) -> logging.LogRecord:
    """Without what libraries put into their messages: exceptions, and all that a loop knows of a task."""
    if hasattr(record, "_logger"):  # through structlog, with fields: `_complete` looks at each
        return record
    tamed = logging.makeLogRecord(record.__dict__)
    tamed.msg, tamed.args = tracebacks.in_words(record.msg), tracebacks.in_words(record.args)
    if record.name == _ASYNCIO and record.levelno >= logging.WARNING:
        # "Exception in callback f('an argument')", and below it the reprs of futures with their exceptions.
        tamed.msg, tamed.args = _REPRS.split(tamed.getMessage(), maxsplit=1)[0], ()
    return tamed


def _formatter(service: str, console: bool) -> logging.Formatter:
    last: Any = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), timestamp_key="time") if console else _line

    def complete(_logger: Any, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
        return _complete(event, service)

    return structlog.stdlib.ProcessorFormatter(processors=[complete, last])


def _complete(event: Mapping[str, Any], service: str) -> dict[str, Any]:
    """All that a line has, of an event of ours or of a library."""
    fields = _fixed(event["_record"], service, str(tracebacks.in_words(event["event"])).strip())
    given = {name: value for name, value in event.items() if name not in _NOT_FIELDS and name not in fields}
    fields.update((name, tracebacks.in_words(value)) for name, value in given.items())
    if (error := _exception(event.get("exc_info"))) is not None:
        fields["exception"] = tracebacks.render(error)
    return fields


_NOT_FIELDS: Final = frozenset({"_record", "_from_structlog", "exc_info", "stack_info", "stack"})


def _fixed(record: logging.LogRecord, service: str, event: str) -> dict[str, Any]:
    time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    values = (time, record.levelname.lower(), service, record.name, event)
    return dict(zip(FIELDS, values, strict=True))


def _exception(given: Any) -> BaseException | None:
    """What was given as `exc_info`, in any of the forms that the standard library takes."""
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        error: BaseException | None = given[1]
        return error
    return sys.exc_info()[1] if given else None


def _line(_logger: Any, _method: str, fields: Mapping[str, Any]) -> str:
    return log_line.encode(fields)
