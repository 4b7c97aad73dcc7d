"""`python -m pipeline aggregates|profiles`: one worker. `python -m pipeline --help` lists the operator's commands."""

import argparse
from collections.abc import Callable

from pipeline import aggregates, profiles
from pipeline.settings import AggregatesSettings, ProfilesSettings
from runtime import logging, settings


def _aggregates() -> None:
    chosen = settings.load(AggregatesSettings)
    logging.configure(chosen)
    aggregates.run(chosen)


def _profiles() -> None:
    chosen = settings.load(ProfilesSettings)
    logging.configure(chosen)
    profiles.run(chosen)


COMMANDS: dict[str, tuple[Callable[[], None], str]] = {
    "aggregates": (_aggregates, "count events into PostgreSQL"),
    "profiles": (_profiles, "take events into users' recent histories"),
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
