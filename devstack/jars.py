"""Kafka's jars and the agent that measures it: fetched once by Maven into the project's cache, whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from devstack import errors, paths, tools

POM = paths.SERVICES / "kafka" / "pom.xml"
_AGENT = "jmx_prometheus_javaagent.jar"
_TIMEOUT_SECONDS = 600
_NAMESPACE = {"m": "http://maven.apache.org/POM/4.0.0"}


def version() -> str:
    """The Kafka version that services/kafka/pom.xml asks for."""
    return _property("kafka.version")


def present(cache: Path = paths.CACHE) -> bool:
    return folder(cache).is_dir()


def folder(cache: Path = paths.CACHE) -> Path:
    return cache / f"kafka-{version()}" / "lib"


def ensure(cache: Path = paths.CACHE) -> Path:
    """The folder of jars, fetched if this is the first time. Safe for several processes at once.

    Raises errors.ToolMissing without Maven, errors.JarsUnavailable if Maven fails.
    """
    return _ensure(folder(cache), ["dependency:copy-dependencies", "-DincludeScope=runtime"])


def agent(cache: Path = paths.CACHE) -> Path:
    """The jar of Prometheus' JMX exporter as a Java agent, fetched if this is the first time. Raises as ensure()."""
    target = cache / f"jmx-exporter-{_property('jmx-exporter.version')}" / "lib"
    return _ensure(target, ["dependency:copy@agent"]) / _AGENT


def _property(name: str) -> str:
    text = ElementTree.parse(POM).findtext(f"m:properties/m:{name}", namespaces=_NAMESPACE)  # noqa: S314 - our own file
    if text is None:
        reason = f"{POM} names no {name}"
        raise errors.JarsUnavailable(reason)
    return text


def _ensure(target: Path, goal: list[str]) -> Path:
    cache = target.parent.parent
    if not target.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with _alone(cache / "kafka.lock"):
            if not target.is_dir():
                _fetch(target, goal)
    return target


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(target: Path, goal: list[str]) -> None:
    unfinished = Path(tempfile.mkdtemp(prefix="kafka-", dir=target.parent.parent))
    try:
        _run_maven(goal, unfinished / target.name)
        shutil.rmtree(target.parent, ignore_errors=True)
        os.replace(unfinished, target.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _run_maven(goal: list[str], output: Path) -> None:
    argv = [tools.maven(), "-B", "-q", "-f", str(POM), *goal, f"-DoutputDirectory={output}"]
    try:
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT_SECONDS)
    except subprocess.CalledProcessError as failed:
        reason = f"Maven could not fetch Kafka's jars (is this machine online?): `{' '.join(argv)}` said\n"
        raise errors.JarsUnavailable(reason + failed.stdout.decode(errors="replace")) from failed
    except subprocess.TimeoutExpired as late:
        reason = f"Maven did not fetch Kafka's jars within {_TIMEOUT_SECONDS} seconds: `{' '.join(argv)}`"
        raise errors.JarsUnavailable(reason) from late
