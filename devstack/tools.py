"""The programs that have to be there first. What is missing is said in a sentence that helps."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from devstack import errors

JAVA_OLDEST = 17  # Kafka 4 brokers need it


def java() -> str:
    """The path of a Java that is new enough: JAVA_HOME's, else the one on the PATH."""
    found = _in_java_home() or shutil.which("java")
    if found is None:
        reason = (
            f"Java {JAVA_OLDEST} or newer is needed for the Kafka broker and no `java` is on the PATH. "
            f"Install a JRE (Debian and Ubuntu: `apt install default-jre-headless`) or set JAVA_HOME."
        )
        raise errors.ToolMissing(reason)
    major = java_major(_run(found, "-version"))
    if major is None or major < JAVA_OLDEST:
        reason = (
            f"Java {JAVA_OLDEST} or newer is needed for the Kafka broker, and {found} is "
            f"{'of unknown version' if major is None else major}. Install a newer one or point JAVA_HOME at it."
        )
        raise errors.ToolMissing(reason)
    return found


def java_major(version_output: str) -> int | None:
    """The major version in what `java -version` prints; None if there is none. `1.8.0_392` is 8."""
    match = re.search(r'version "(?:1\.)?(\d+)', version_output)
    return int(match.group(1)) if match else None


def maven() -> str:
    found = shutil.which("mvn")
    if found is None:
        reason = (
            "Maven is needed once, to fetch the Kafka broker, and no `mvn` is on the PATH. "
            "Install it (Debian and Ubuntu: `apt install maven`)."
        )
        raise errors.ToolMissing(reason)
    return found


def prometheus() -> str:
    found = optional("prometheus")
    if found is None:
        reason = (
            "Prometheus is needed for local monitoring, and no `prometheus` is on the PATH. Install it (Debian and "
            "Ubuntu: `apt install prometheus`; its own service need not run)."
        )
        raise errors.ToolMissing(reason)
    return found


def optional(*names: str) -> str | None:
    """The path of the first of `names` that is there, on the PATH or where Debian keeps servers."""
    searched = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    return next(filter(None, (shutil.which(name, path=searched) for name in names)), None)


def _in_java_home() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=os.path.join(home, "bin")) if home else None


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr
