"""How a worker ends when it cannot go on: a sentence, then at once.

Nothing is lost by it: what is stored and the offsets it came from were written together. A shutdown in good order could
hang in the very thing that failed, and a worker that lives on without consuming is the worst of all.
"""

import logging
import os
import signal
import sys
import threading
from typing import Final

import runtime.logging
from broker.errors import BrokerError
from pipeline import errors
from runtime import tracebacks
from stores.errors import StoreError

EXIT_STATUS: Final = 70
LAST_WORDS_S: Final = 2.0
"""For the sentence. Where nobody reads the log, the loop may stand in writing to it, and so would this."""

_log = runtime.logging.get_logger(__name__)


def end_process(error: BaseException) -> None:
    """Say why, and end with status 70. Does not return."""
    try:
        _bound_last_words()
        _say(error)
    finally:  # whatever becomes of the words
        os._exit(EXIT_STATUS)


def _bound_last_words() -> None:
    try:
        threading.Timer(LAST_WORDS_S, os._exit, [EXIT_STATUS]).start()
    except RuntimeError:  # no thread is to be had: the kernel ends the process then, with a status of its own
        signal.setitimer(signal.ITIMER_REAL, LAST_WORDS_S)


def _say(error: BaseException) -> None:
    # An ending that this system foresaw is told by its sentence; any other is a defect, and its traceback is needed.
    foreseen = isinstance(error, errors.PipelineError | StoreError | BrokerError)
    reason, defect = (str(error), None) if foreseen else (tracebacks.words(error), error)
    _log.critical("the worker ends", reason=reason, kind=type(error).__name__, exc_info=defect)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
