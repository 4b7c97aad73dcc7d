"""How a worker ends when it cannot go on: a sentence, then at once.

Nothing is lost by it: what is stored and the offsets it came from were written together. A shutdown in good order could
hang in the very thing that failed, and a worker that lives on without consuming is the worst of all.
"""

import logging
import os
import sys
from typing import Final

import runtime.logging

EXIT_STATUS: Final = 70

_log = runtime.logging.get_logger(__name__)


def end_process(error: BaseException) -> None:
    """Say why, and end with status 70. Does not return."""
    _log.critical("the worker ends", reason=str(error) or repr(error), kind=type(error).__name__, exc_info=error)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_STATUS)
