"""`python -m gateway make-token NAME --scopes write,read`: makes a token and shows it once."""

import argparse
import fcntl
import sys
from pathlib import Path

from gateway import tokens
from gateway.errors import BrokenTokens

_HELP = """The token goes to standard output, once; nothing keeps it. Its line for TOKENS_FILE, with a hash of it, is
added to --file, or else shown on standard error. Gateways that run read the file again within a second or two.

To rotate a token: make a second one of the same name, give it to the client, then remove the older line."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.description, parser.epilog = __doc__, _HELP
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("name", help="whose token; two at most of one name")
    parser.add_argument("--scopes", required=True, help="write, read and admin, with commas between them")
    parser.add_argument("--file", type=Path, help="file of tokens to add its line to; made if it is not there")


def run(arguments: argparse.Namespace) -> int:
    """Make one. Exit status 1 with a sentence where the file would not take it; nothing is changed then."""
    try:
        token, entry = tokens.make(arguments.name, tokens.scopes_of(arguments.scopes))
        if arguments.file is None:
            sys.stderr.write(f"for TOKENS_FILE:\n{entry.line()}\n")
        else:
            _append(arguments.file, entry)
    except (BrokenTokens, OSError) as error:
        sys.stderr.write(f"gateway: no token was made: {error}\n")
        return 1
    sys.stdout.write(f"{token}\n")
    return 0


def _append(path: Path, entry: tokens.Entry) -> None:
    """In one write, which a gateway that reads meanwhile sees whole. Another one of these commands waits its turn."""
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        before = file.read()
        between = "" if not before or before.endswith("\n") else "\n"
        tokens.parse(f"{before}{between}{entry.line()}\n")
        file.write(f"{between}{entry.line()}\n")
