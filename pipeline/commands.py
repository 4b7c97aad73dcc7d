"""What the operator's commands have in common: their settings, how they talk, and how they end.

Exit statuses: 0 done, 1 failed with a sentence on standard error, 2 wrong usage or settings.
"""

import argparse
import asyncio
import logging as stdlib_logging
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

import aiokafka.errors
import psycopg

from broker import errors as broker_errors
from pipeline import errors
from pipeline.settings import AggregatesSettings, ProfilesSettings
from runtime import logging
from runtime import settings as runtime_settings
from stores import errors as store_errors

Command = Callable[["OperatorSettings", argparse.Namespace], Coroutine[Any, Any, int]]

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
_INTERRUPTED: Final = 130
_NOT_MIGRATED: Final = ("42P01", "42883", "42703")
_NO_RIGHT: Final = "42501"


class UsageError(Exception):
    """Arguments that do not go together."""


class OperatorSettings(AggregatesSettings, ProfilesSettings):
    """The settings of both workers, read from the same names."""


def run(command: Command, arguments: argparse.Namespace) -> int:
    """Run a command with the workers' settings and give its exit status."""
    chosen = runtime_settings.load(OperatorSettings)
    logging.configure(chosen, arguments.command)
    stdlib_logging.getLogger("aiokafka").setLevel(stdlib_logging.WARNING)  # it tells of every assignment
    try:
        return asyncio.run(attempt(command, chosen, arguments))
    except KeyboardInterrupt:
        complain("interrupted; it is safe to run this again")
        return _INTERRUPTED


async def attempt(command: Command, chosen: OperatorSettings, arguments: argparse.Namespace) -> int:
    """The command's exit status; failures that may well happen are told in a sentence."""
    try:
        return await command(chosen, arguments)
    except UsageError as error:
        complain(str(error))
        return USAGE
    except Exception as error:
        sentence = explained(error)
        if sentence is None:
            raise
        complain(sentence)
        return FAILED


def say(text: str) -> None:
    """A line of the command's answer."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """A sentence on standard error."""
    sys.stderr.write(f"pipeline: {text}\n")


def explained(error: Exception) -> str | None:
    """The sentence for a failure that may well happen; None for a defect, which is to be seen whole."""
    match error:
        case errors.PipelineError() | store_errors.StoreError() | broker_errors.BrokerError():
            return str(error)
        case aiokafka.errors.KafkaError():
            return f"Kafka did not answer: {error!r}"
        case psycopg.Error() if error.sqlstate in _NOT_MIGRATED:
            return f"run `python -m stores migrate` first, the database lacks something: {_first_line(error)}"
        case psycopg.Error() if error.sqlstate == _NO_RIGHT:
            return f"the role of DB_USER lacks a right: {_first_line(error)}"
        case psycopg.Error() if store_errors.is_passing(error):
            return f"PostgreSQL is away or busy, run this again later: {_first_line(error)}"
        case TimeoutError():
            return "no answer in time: Kafka, PostgreSQL or the profile store is away; run this again later"
        case _:
            return None


def _first_line(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0]
