"""`python -m tests.simulation SEED ...` runs seeds and prints their traces; `--seeds N --first M` runs many.

Ends with 1 if a seed failed, and prints its number.
"""

import argparse
import os
import sys

from tests.simulation import many
from tests.support import defects


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", type=int, nargs="*", help="run these and print their traces")
    parser.add_argument("--seeds", type=int, default=1_000, help="how many, where no seed is given")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="to run them in")
    parser.add_argument("--plant", choices=sorted(defects.DEFECTS), help="a defect to put into the workers")
    parser.add_argument("--until-failure", action="store_true", help="stop at the first seed that fails")
    chosen = parser.parse_args()
    _repeatable()
    if chosen.plant:
        defects.plant(chosen.plant)
    if chosen.seed:
        return many.show(chosen.seed)
    return many.run_all(range(chosen.first, chosen.first + chosen.seeds), chosen.processes, chosen.until_failure)


def _repeatable() -> None:
    """Hashes of texts differ from process to process otherwise, and with them the order of sets."""
    if os.environ.get("PYTHONHASHSEED") != "0":
        arguments = [sys.executable, "-m", "tests.simulation", *sys.argv[1:]]
        os.execve(sys.executable, arguments, os.environ | {"PYTHONHASHSEED": "0"})  # noqa: S606


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # what killed workers left must not be cleaned up, not even at the end
