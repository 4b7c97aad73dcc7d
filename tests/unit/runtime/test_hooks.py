"""What Python would write to standard error by itself is an event of the log instead."""

import json
import subprocess
import sys
from typing import Any

import pytest

CONFIGURE = """
import gc, sys, threading
from runtime import logging, settings
logging.configure(settings.Settings(log_format="json"), "profiles")
"""
BROKEN_DELETION = """
class Broken:
    def __del__(self):
        raise KeyError("cookie-1")
broken = Broken()
del broken
gc.collect()
"""
ENDINGS = {
    "the process ends by an exception": ("raise KeyError('cookie-1')", 1),
    "a thread ended by an exception": (
        "def fail(): raise KeyError('cookie-1')\n"
        "thread = threading.Thread(target=fail, name='here')\nthread.start()\nthread.join()",
        0,
    ),
    "an exception that could not be raised": (BROKEN_DELETION, 0),
}


def run(code: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit status, and the lines of the log."""
    argv = [sys.executable, "-c", CONFIGURE + code]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == ""
    return done.returncode, [json.loads(line) for line in done.stderr.splitlines()]


@pytest.mark.parametrize("event", ENDINGS)
def test_an_exception_that_nobody_caught_is_one_line(event: str) -> None:
    code, wanted = ENDINGS[event]

    status, lines = run(code)

    assert status == wanted
    [line] = lines
    assert (line["event"], line["service"], line["logger"]) == (event, "profiles", "python")
    assert "KeyError" in line["exception"]
    assert "cookie-1" not in str(line)


def test_a_thread_that_ends_itself_has_nothing_to_say() -> None:
    assert run("thread = threading.Thread(target=sys.exit)\nthread.start()\nthread.join()") == (0, [])
