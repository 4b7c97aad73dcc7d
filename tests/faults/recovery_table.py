"""The recovery times of recorded runs, as the tables that docs/guarantees.md has between its two markers.

    python -m tests.faults.recovery_table REPORT.json ...

Any number of runs of any size; one with a planted defect is refused.
"""

import argparse
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tests.faults import scenarios, stage
from tests.faults.report import Report

BEGIN: Final = "<!-- recovery times, by `python -m tests.faults.recovery_table REPORT.json ...` -->"
END: Final = "<!-- end of the recovery times -->"
_NONE: Final = "\u2013"

Times = Mapping[str, Sequence[float]]
"""Seconds by recovery, see `scenarios.Scenario`."""


class Unfit(Exception):
    """A report whose times are not those of the docs; the message says why."""


def main() -> int:
    """Print the tables. Exit status 2: a report is not fit for them."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.recovery_table",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("reports", nargs="+", type=Path, metavar="REPORT.json")
    reports = [msgspec.json.decode(path.read_bytes(), type=Report) for path in parser.parse_args().reports]
    try:
        sys.stdout.write(tables(reports))
    except Unfit as reason:
        parser.error(str(reason))
    return 0


def tables(reports: Sequence[Report]) -> str:
    """Both tables between the markers, a row a recovery that the scenarios can report. Raises `Unfit`."""
    times = _together(reports)
    twice, once = rows()
    return "\n".join(
        [
            BEGIN,
            f"Of `make test-faults` with {_seeds(reports)}.",
            "",
            "| fault | sums: median, worst (how many) | profiles: median, worst (how many) |",
            "|---|---|---|",
            *(_row(fault, (f"{fault}, {what}" for what in stage.STORES.values()), times) for fault in twice),
            "",
            "| what, until when | median, worst (how many) |",
            "|---|---|",
            *(_row(what, [what], times) for what in once),
            END,
            "",
        ]
    )


def rows() -> tuple[list[str], list[str]]:
    """The first cells of the two tables: faults that sums or profiles recover from, and all other recoveries."""
    known = [each for scenario in scenarios.ALL.values() for each in scenario.recoveries]
    of_stores = {each: fault for each in known for fault, _, what in [each.rpartition(", ")] if what in _STORES}
    return list(dict.fromkeys(of_stores.values())), [each for each in known if each not in of_stores]


def _together(reports: Iterable[Report]) -> Times:
    """Raises `Unfit` where a defect was planted, and where there is a time that no row is for."""
    times: dict[str, list[float]] = {}
    for report in reports:
        if report.plant is not None:
            raise Unfit(f"seed {report.seed}: {report.plant} was planted")  # noqa: EM102
        for outcome in report.outcomes:
            if unknown := outcome.recovery_s.keys() - set(scenarios.ALL[outcome.scenario].recoveries):
                raise Unfit(f"{outcome.scenario} has no such recovery: {sorted(unknown)}")  # noqa: EM102
            for what, seconds in outcome.recovery_s.items():
                times.setdefault(what, []).extend(seconds)
    return times


def _seeds(reports: Sequence[Report]) -> str:
    told = [f"{each.seed}{'' if each.size == 'full' else f' ({each.size})'}" for each in reports]
    return f"SEED={told[0]}" if len(told) == 1 else f"the seeds {', '.join(told[:-1])} and {told[-1]}"


def _row(first: str, keys: Iterable[str], times: Times) -> str:
    return f"| {' | '.join([first, *(_figures(times.get(key, ())) for key in keys)])} |"


def _figures(seconds: Sequence[float]) -> str:
    if not seconds:
        return _NONE
    return f"{statistics.median(seconds):.1f}, {max(seconds):.1f} ({len(seconds)})"


_STORES: Final = frozenset(stage.STORES.values())


if __name__ == "__main__":
    sys.exit(main())
