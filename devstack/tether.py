"""Run a program that does not outlive the process that started it, whatever ended that one.

Usage: python -I -S tether.py SIGNAL PARENT PROGRAM [ARGUMENT...]

The kernel sends SIGNAL (a number) to the program when its parent, process PARENT, is gone: also after a SIGKILL, which
no handler in the parent sees. `exec` keeps both that arrangement and the process id, so the program is a plain child.
A script of its own, because the alternative, `preexec_fn`, runs Python between fork and exec, which is unsafe in a
process with threads. Only Linux can do it; elsewhere the program simply runs.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
ORPHANED = 125


def main(arguments: list[str]) -> int:
    signal, parent, program = int(arguments[0]), int(arguments[1]), arguments[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the kernel knew what to do about it
        return ORPHANED
    os.execvp(program[0], program)  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
