"""Programs that no lock brings: found on the machine, or the test that wants them is skipped by name."""

import os
import shutil

import pytest

# Debian keeps servers where an ordinary account does not look.
SEARCHED = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def require(*names: str) -> list[str]:
    """The paths of programs. Skips in CI as well: the runner's packages are not ours to choose."""
    return [_find(name) for name in names]


def _find(name: str) -> str:
    found = shutil.which(name, path=SEARCHED)
    if found is None:
        pytest.skip(f"no {name} on this machine")
    return found
