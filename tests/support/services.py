"""The servers of one test run, and what happens when one cannot be had."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from devstack import errors, kafka, ports, postgres, processes

_PREFIX = "allezone-test-"


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """A folder for one server's state. Not tmp_path: pytest keeps the last three runs of that, and these are large."""
    _sweep()
    path = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-{name}-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _sweep() -> None:
    """Remove the folders of runs that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = path.name.removeprefix(_PREFIX).split("-")[0]
        if owner.isdigit() and not processes.alive(int(owner)):
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def running_kafka() -> Iterator[kafka.KafkaServer]:
    with folder("kafka") as state:
        server = kafka.KafkaServer(state, kafka.free_node(), throwaway=True)
        try:
            server.start()
            server.wait_ready()
            yield server
        finally:
            server.kill()


@contextmanager
def running_postgres() -> Iterator[postgres.PostgresServer]:
    with folder("postgres") as state:
        server = postgres.PostgresServer(state, ports.reserve(), throwaway=True)
        try:
            server.start()
            server.wait_ready()
            yield server
        finally:
            server.kill()


@contextmanager
def required() -> Iterator[None]:
    """What cannot be had inside this block is missing()."""
    try:
        yield
    except (errors.ToolMissing, errors.JarsUnavailable) as reason:
        missing(str(reason))


def missing(what: str) -> NoReturn:
    """Something that a test needs is not on this machine: fails the test in CI, skips it by name on a laptop."""
    if os.environ.get("CI"):
        pytest.fail(f"missing: {what}", pytrace=False)
    pytest.skip(f"missing: {what}")
