"""Every alert that must wake somebody is raised within two minutes of its fault, and resolved after the mend.

    python -m tests.alerts [--only NAME ...]

Starts the whole system, the test stream and Prometheus with the project's rules, all of its own, on free ports, as
`make run`, `make simulate` and `make run-monitoring` do; breaks one thing after the other, and asks Prometheus. Exit
status 1: an alert was late, stayed, or fired beforehand.
"""

import argparse
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from devstack import errors, paths, tools
from tests.alerts import faults, outcome, scene
from tests.alerts.trial import Trial
from tests.support import monitoring, services
from tests.support.system import System

_ENDING = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    """Play and judge. An interrupted run ends all that it started."""
    arguments = _parser().parse_args()
    for number in _ENDING:
        signal.signal(number, _interrupt)
    try:
        return _run(arguments.only or list(faults.ALL))
    except errors.DevstackError as reason:
        _say(str(reason))
        return 1
    except KeyboardInterrupt:
        _say("interrupted")
        return 130


def _run(names: list[str]) -> int:
    began = time.monotonic()
    tools.prometheus()
    with services.folder("alerts") as folder:
        try:
            outcomes = _play(names, folder)
        except BaseException:
            _keep(folder)
            raise
        _say(f"\n{outcome.table(outcomes)}")
        good = all(each.good for each in outcomes)
        if not good:
            _keep(folder)
    _say(f"{'passed' if good else 'FAILED'} in {time.monotonic() - began:.0f} s: {len(outcomes)} faults")
    return 0 if good else 1


def _play(names: list[str], folder: Path) -> list[outcome.Outcome]:
    system = System(folder, DEBUG_QUERIES="true")
    try:
        _say("starting the system, traffic and monitoring")
        system.start()
        system.wait_ready()
        with scene.traffic(system, folder) as sender, monitoring.beside(system) as watched:
            on = scene.Scene(system, watched)
            on.await_traffic()
            trial = Trial(on, _say)
            for name in names:
                trial.play(faults.ALL[name])
            outcomes = trial.outcomes()
            assert sender.running, "the simulator has ended"
            return outcomes
    finally:
        system.stop()


def _keep(folder: Path) -> None:
    """The logs of a run that failed."""
    kept = paths.PROJECT / ".local" / "alerts" / folder.name
    kept.mkdir(parents=True)
    for log in (*folder.glob("*.log"), *folder.glob("state/logs/*.log")):
        shutil.copy(log, kept)
    _say(f"logs: {kept}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.alerts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=list(faults.ALL), metavar="NAME", help="these faults")
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Once: a later signal must not interrupt the ending."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
