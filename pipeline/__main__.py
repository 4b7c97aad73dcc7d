"""`python -m pipeline aggregates|profiles`: one worker. The other commands are the operator's; each has a --help."""

import argparse
import sys
from collections.abc import Callable
from typing import Final, Protocol

from pipeline import adoption, aggregates, commands, dead_letters, profiles, rebuild_aggregates, rebuild_profiles
from pipeline.settings import AggregatesSettings, ProfilesSettings
from runtime import logging, settings


class Operation(Protocol):
    """A module that is an operator's command; its docstring is the command's help."""

    @property
    def SUMMARY(self) -> str: ...
    @property
    def EXAMPLES(self) -> str: ...
    @property
    def run(self) -> commands.Command: ...
    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...


def _aggregates() -> None:
    chosen = settings.load(AggregatesSettings)
    logging.configure(chosen, "aggregates")
    aggregates.run(chosen)


def _profiles() -> None:
    chosen = settings.load(ProfilesSettings)
    logging.configure(chosen, "profiles")
    profiles.run(chosen)


WORKERS: Final[dict[str, tuple[Callable[[], None], str]]] = {
    "aggregates": (_aggregates, "count events into PostgreSQL"),
    "profiles": (_profiles, "take events into users' recent histories"),
}

OPERATIONS: Final[dict[str, Operation]] = {
    "rebuild-profiles": rebuild_profiles,
    "rebuild-aggregates": rebuild_aggregates,
    "dead-letters": dead_letters,
    "adopt-topic": adoption,
}


def main() -> int:
    """Run the command that the arguments name."""
    arguments = parser().parse_args()
    if arguments.command in OPERATIONS:
        return commands.run(OPERATIONS[arguments.command].run, arguments)
    WORKERS[arguments.command][0]()
    return commands.DONE


def parser() -> argparse.ArgumentParser:
    """Of all commands."""
    made = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    subparsers = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (_run, summary) in WORKERS.items():
        subparsers.add_parser(name, help=summary)
    for name, operation in OPERATIONS.items():
        described = subparsers.add_parser(
            name,
            help=operation.SUMMARY,
            description=operation.__doc__,
            epilog=operation.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        operation.add_arguments(described)
    return made


if __name__ == "__main__":
    sys.exit(main())
