"""How a worker ends that cannot go on."""

import subprocess
import sys

from pipeline import ending

END = "from pipeline import ending, errors; ending.end_process(errors.Stalled('nothing moves'))"
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
