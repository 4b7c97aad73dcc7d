"""What Python would write to standard error by itself, as events of the log instead."""

import sys
import threading
from types import TracebackType
from typing import Final

import structlog

LOGGER: Final = "python"
_log: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(LOGGER)


def install() -> None:
    """From now on: exceptions that nobody caught in the main thread, in others, and where none can be raised.

    What an event loop finds goes through the logger `asyncio`, and warnings through `py.warnings`, without these.
    """
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def _uncaught(kind: type[BaseException], error: BaseException, place: TracebackType | None) -> None:
    _log.critical("the process ends by an exception", exc_info=error.with_traceback(place))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None or isinstance(args.exc_value, SystemExit):
        return
    thread = args.thread.name if args.thread is not None else ""
    _log.error("a thread ended by an exception", thread=thread, exc_info=args.exc_value)


def _unraisable(args: "sys.UnraisableHookArgs") -> None:
    where = getattr(args.object, "__qualname__", type(args.object).__name__)
    _log.error("an exception that could not be raised", where=where, exc_info=args.exc_value)
