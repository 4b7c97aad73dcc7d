"""Nothing lost, nothing doubled: real processes, killed, frozen and cut off while events pass.

    python -m tests.faults [--seed N] [--size full|short] [--only NAME ...] [--plant DEFECT]

Starts servers of its own, plays one scenario after the other, and judges what is stored by what the senders were told:
acknowledged events are counted once, refused ones never, those of unknown outcome at most once. The same seed makes the
same plan. Exit status 1: a scenario lost or doubled an event, or did not do what it was to do.
"""

import argparse
import random
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from types import FrameType

import msgspec

from devstack import paths
from tests.faults import report, scenarios, stage


def main() -> int:
    """Play and judge. An interrupted run ends all that it started, and reports what it has played."""
    arguments = _parser().parse_args()
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        _say(f"interrupted, seed {arguments.seed}")
        return 130


def _run(arguments: argparse.Namespace) -> int:
    folder = paths.PROJECT / ".local" / "faults" / f"seed-{arguments.seed}"
    path = arguments.report or folder / "report.json"
    shutil.rmtree(folder, ignore_errors=True)  # of an earlier run with this seed
    began = time.monotonic()
    outcomes: list[report.Outcome] = []
    _say(f"seed {arguments.seed}, {arguments.size}; logs in {folder}")
    try:
        with stage.Stage(folder, _say, plant=arguments.plant, histories=arguments.history) as on:
            for name in arguments.only or scenarios.ALL:
                outcomes.append(play(on, name, arguments.size, arguments.seed))
                _say(str(outcomes[-1]))
    finally:
        seconds = round(time.monotonic() - began, 1)
        done = report.Report(arguments.seed, arguments.size, seconds, outcomes, arguments.plant)
        done.write(path)
        _say(f"{done.times()}\nreport: {path}")
    _say(str(done))
    return 0 if done.good else 1


def play(on: stage.Stage, name: str, size: stage.Size, seed: int) -> report.Outcome:
    """One scenario; one that breaks off has failed, and the next is played all the same."""
    on.say(f"-- {name}")
    began = time.monotonic()
    try:
        outcome = scenarios.ALL[name].play(on, size, seed)
    except Exception as error:
        on.say(traceback.format_exc())
        failure = f"broke off: {error!r}"
        return report.Outcome(name, seed, seconds=round(time.monotonic() - began, 1), failures=[failure])
    return outcome if size == "short" else _measured(outcome)


def _measured(outcome: report.Outcome) -> report.Outcome:
    """A recovery that a full run did not measure is a failure: nothing was shown of it."""
    missing = set(scenarios.ALL[outcome.scenario].recoveries) - set(outcome.recovery_s)
    if outcome.skipped or not missing:
        return outcome
    failure = f"no time was measured of: {sorted(missing)}"
    return msgspec.structs.replace(outcome, failures=[*outcome.failures, failure])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    seed = random.randrange(1_000_000)  # noqa: S311
    parser.add_argument(
        "--seed", type=int, default=seed, help="what the plans are made from; one is drawn if not given"
    )
    parser.add_argument("--size", choices=["full", "short"], default="full")
    parser.add_argument("--only", nargs="+", choices=list(scenarios.ALL), metavar="NAME", help="these scenarios")
    parser.add_argument("--report", type=Path, metavar="FILE", help="where the JSON report goes")
    parser.add_argument("--history", type=Path, metavar="FOLDER", help="where the histories of requests go")
    parser.add_argument("--plant", metavar="DEFECT", help="start our processes with a defect of tests.support.defects")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
