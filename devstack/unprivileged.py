"""Running a program that refuses to be root, when root is who we are (containers, CI). PostgreSQL is such a program."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from devstack import errors

ACCOUNT = "nobody"


def needed() -> bool:
    return os.geteuid() == 0


def own(folder: Path) -> None:
    """Make `folder`, private to the account that prefix() runs programs as."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if needed():
        account = _account()
        os.chown(folder, account.pw_uid, account.pw_gid)


def prefix(*reached: Path) -> list[str]:
    """What to put before a command so that it does not run as root; nothing if we are not root.

    A checkout under /root, or a temporary folder of mode 0700, is closed to any other account. Where one of `reached`
    is, the program keeps the one capability that lets it through, instead of the folders being opened to everybody:
    also in access(2), which PostgreSQL looks for its programs with, and which disregards it without the secure bit.
    """
    if not needed():
        return []
    account = _account()
    # keep: the kernel forgets with a change of account which signal the process gets when its parent is gone (tether).
    argv = [_setpriv(), f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", "--pdeathsig=keep"]
    if all(_reaches(argv, path) for path in reached):
        return argv
    return [*argv, "--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]


def _reaches(argv: list[str], path: Path) -> bool:
    return subprocess.run([*argv, "test", "-x", str(path)], check=False).returncode == 0


def _account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError as missing:
        reason = (
            f"PostgreSQL does not run as root, and there is no account {ACCOUNT!r} to lend it. Use an ordinary account."
        )
        raise errors.ToolMissing(reason) from missing


def _setpriv() -> str:
    found = shutil.which("setpriv")
    if found is None:
        reason = "PostgreSQL does not run as root, and `setpriv` (util-linux) is missing. Use an ordinary account."
        raise errors.ToolMissing(reason)
    return found
