"""`python -m pipeline aggregates|profiles`: one worker. `python -m pipeline --help` lists the operator's commands."""

import argparse
from collections.abc import Callable

from pipeline import aggregates
from pipeline.settings import AggregatesSettings
from runtime import logging, settings


def _aggregates() -> None:
    chosen = settings.load(AggregatesSettings)
    logging.configure(chosen)
    aggregates.run(chosen)


COMMANDS: dict[str, tuple[Callable[[], None], str]] = {
    "aggregates": (_aggregates, "count events into PostgreSQL"),
}


def main() -> None:
    """Run the command that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_run, help_text) in COMMANDS.items():
        commands.add_parser(name, help=help_text)
    COMMANDS[parser.parse_args().command][0]()


if __name__ == "__main__":
    main()
