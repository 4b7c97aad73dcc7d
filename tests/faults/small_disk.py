"""A disk of a few megabytes, which can be filled to the last byte, and of which nothing is left behind.

It is a tmpfs in a mount namespace that belongs to one thread and the processes that it starts: the kernel forgets it
with the last of them, whatever ended them.
"""

import ctypes
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

_CLONE_FS: Final = 0x200
_CLONE_NEWNS: Final = 0x20000
_CHUNK: Final = b"\0" * 65_536
_Answer = TypeVar("_Answer")


class NotPermitted(Exception):
    """This machine does not let us mount; the message is what it said."""


def on_one(megabytes: int, call: Callable[[Path], _Answer]) -> _Answer:
    """`call` with a disk's folder, in a thread of its own, which alone sees the disk. Raises `NotPermitted`."""
    answers: list[_Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(_mounted(megabytes, call))
        except BaseException as error:  # handed on below
            errors.append(error)

    thread = threading.Thread(target=run, name="disk", daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]


def fill(folder: Path) -> Path:
    """Leave no byte free; the file that takes them all."""
    filler = folder / "filler"
    with filler.open("ab", buffering=0) as file:
        for chunk in (_CHUNK, b"\0"):
            _write_all(file.fileno(), chunk)
    return filler


def _write_all(file: int, chunk: bytes) -> None:
    while True:
        try:
            os.write(file, chunk)
        except OSError:
            return


def _mounted(megabytes: int, call: Callable[[Path], _Answer]) -> _Answer:
    _leave_namespace()
    with tempfile.TemporaryDirectory(prefix="allezone-faults-", ignore_cleanup_errors=True) as folder:
        _mount("--make-rprivate", "/")
        _mount("-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "allezone-faults", folder)
        try:
            return call(Path(folder))
        finally:
            subprocess.run(["umount", "--lazy", folder], check=False)


def _leave_namespace() -> None:
    """What this thread mounts from now on is seen by itself and its children alone."""
    if sys.platform != "linux":
        message = "only Linux has mount namespaces"
        raise NotPermitted(message)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_FS | _CLONE_NEWNS) != 0:
        raise NotPermitted(os.strerror(ctypes.get_errno()))


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotPermitted(done.stderr.strip())
