"""Structured logs: one event a line, JSON in containers, readable on a terminal.

No cookie id goes into a log line. Libraries that log through the standard library (Faust, aiokafka, uvicorn) come out
in the same form.
"""

import logging
import sys
from typing import Any

import structlog

from runtime import settings


def configure(chosen: settings.Settings) -> None:
    """Send every log of this process to standard error in the form and from the level that the settings ask for."""
    console = chosen.log_format == "console" or (chosen.log_format == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(console))
    logging.basicConfig(handlers=[handler], level=chosen.log_level.upper(), force=True)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose events carry `name` and the keyword arguments given to each call."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def _shared() -> list[Any]:
    return [
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]


def _formatter(console: bool) -> logging.Formatter:
    last: Any = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()) if console else _json_renderer()
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared()[1:],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )


def _json_renderer() -> Any:
    return structlog.processors.JSONRenderer(ensure_ascii=False)
