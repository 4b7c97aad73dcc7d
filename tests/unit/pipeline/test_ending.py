"""How a worker ends that cannot go on."""

import signal
import subprocess
import sys

from pipeline import ending

END = "from pipeline import ending, errors; ending.end_process(errors.Stalled('nothing moves'))"
NO_THREADS = """
import threading
def start(_thread):
    raise RuntimeError("can't start new thread")
threading.Thread.start = start
"""
SPEECHLESS = """
from pipeline import ending
def critical(*_, **__):
    raise MemoryError
ending._log = type("Log", (), {"critical": critical})
"""
FILL = """
import os
os.set_blocking(1, False)
try:
    while True:
        os.write(1, bytes(4096))
except BlockingIOError:
    os.set_blocking(1, True)
"""


def test_it_says_why_and_ends_with_the_status() -> None:
    ended = subprocess.run([sys.executable, "-c", END], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == ending.EXIT_STATUS
    assert "nothing moves" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


def test_it_ends_where_nobody_reads_what_it_says() -> None:
    """The pipe is full: writing to it waits for ever."""
    with subprocess.Popen([sys.executable, "-c", f"{FILL}\n{END}"], stdout=subprocess.PIPE) as process:
        assert process.wait(60) == ending.EXIT_STATUS


def test_it_ends_where_no_thread_can_be_started() -> None:
    code = f"{NO_THREADS}\n{END}"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == ending.EXIT_STATUS
    assert "nothing moves" in ended.stdout


def test_it_ends_where_no_thread_can_be_started_and_nobody_reads_what_it_says() -> None:
    code = f"{FILL}\n{NO_THREADS}\n{END}"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.wait(60) == -signal.SIGALRM


def test_it_ends_where_it_cannot_say_why() -> None:
    code = f"{NO_THREADS}\n{SPEECHLESS}\n{END}"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == ending.EXIT_STATUS
