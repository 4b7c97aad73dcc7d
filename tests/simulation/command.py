"""`python -m tests.simulation` as tests call it: a process of its own, whose hashes and garbage are nobody else's."""

import subprocess
import sys
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]


def simulate(*arguments: object, timeout_s: float) -> subprocess.CompletedProcess[str]:
    """What it printed, and how it ended."""
    command = [sys.executable, "-m", "tests.simulation", *(str(each) for each in arguments)]
    return subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=timeout_s, check=False)
