"""Takes backups wherever this member is the primary: a full one every so many hours, a small one after a failover.

Started by configure.py beside Patroni, and ends with it. What goes wrong is printed and tried again a round later; the
age of the newest backup is what to watch (docs/operations/backup.md).

The small one closes a hole: WAL that a dead primary had not archived yet is archived by nobody, for standbys do not
archive, and a recovery cannot step over what is missing. A backup of the new timeline begins behind it.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any, Final

_ANSWER_SECONDS: Final = 5
_BACKUP_SECONDS: Final = 12 * 3600


def due(backups: list[dict[str, Any]], timeline: int, now: float, every_seconds: float) -> str | None:
    """`full`, `incr` or nothing, by what `pgbackrest info` says of the backups that there are."""
    good = [backup for backup in backups if not backup.get("error")]
    full = [backup["timestamp"]["stop"] for backup in good if backup["type"] == "full"]
    if not full or now - max(full) >= every_seconds:
        return "full"
    newest = max(good, key=lambda backup: backup["timestamp"]["stop"])
    return None if _timeline(newest) == timeline else "incr"


def _timeline(backup: dict[str, Any]) -> int:
    """The first eight hexadecimal digits of a segment's name are its timeline."""
    return int(backup["archive"]["stop"][:8], 16)


def main() -> None:
    """Go on for as long as the process that started this one."""
    parent = os.getppid()
    address = os.environ["API_ADDRESS"]
    every_seconds = float(os.environ["BACKUP_EVERY_HOURS"]) * 3600
    round_seconds = float(os.environ["BACKUP_ROUND_SECONDS"])
    while os.getppid() == parent:
        try:
            _round(address, every_seconds)
        except subprocess.SubprocessError as failed:
            _say(f"failed, and is tried again: {failed}")
        time.sleep(round_seconds)


def _round(address: str, every_seconds: float) -> None:
    timeline = _timeline_as_primary(address)
    if timeline is None:
        return
    kind = due(_backups(), timeline, time.time(), every_seconds)
    if kind is None:
        return
    _say(f"takes a backup: {kind}")
    _pgbackrest("stanza-create")
    _pgbackrest("backup", f"--type={kind}")
    _say(f"has taken a backup: {kind}")


def _timeline_as_primary(address: str) -> int | None:
    """The timeline of this member if it is the primary."""
    try:
        with urllib.request.urlopen(f"http://{address}/primary", timeout=_ANSWER_SECONDS) as answer:
            return int(json.load(answer)["timeline"])
    except (urllib.error.URLError, TimeoutError, ConnectionError, KeyError, ValueError):
        return None  # a replica, or Patroni is not there (yet): its own health check says so


def _backups() -> list[dict[str, Any]]:
    stanzas = json.loads(_pgbackrest("info", "--output=json"))
    return [backup for stanza in stanzas for backup in stanza.get("backup", [])]


def _pgbackrest(command: str, *options: str) -> str:
    """Its output; its complaints go where ours go. Raises subprocess.SubprocessError."""
    argv = ["pgbackrest", command, *options]
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True, timeout=_BACKUP_SECONDS).stdout  # noqa: S603


def _say(text: str) -> None:
    sys.stderr.write(f"backups: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
