"""`python -m devstack COMMAND`: see COMMANDS."""

from __future__ import annotations

import sys
from collections.abc import Callable

from devstack import errors, jars, tools


def fetch() -> None:
    """Fetch Kafka's jars, if they are not there."""
    tools.java()
    jars.ensure()


COMMANDS: dict[str, Callable[[], None]] = {"fetch": fetch}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        sys.stderr.write("usage: python -m devstack COMMAND\n")
        sys.stderr.writelines(f"  {name:12} {command.__doc__}\n" for name, command in COMMANDS.items())
        return 2
    try:
        COMMANDS[arguments[0]]()
    except errors.DevstackError as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
