"""The stacks on a real swarm of this machine, as operators deploy, upgrade and lose them.

    python -m tests.stacks.swarm [--report FILE] [--only STEP ...]

As root on Debian 12. Makes machines, builds the images from the project's own Dockerfiles, deploys both stacks with the
project's own scripts, and breaks them under traffic. Prints what each step showed. Ends, however it ends, with nothing
left but the images kept in .cache/swarm. Exit status 1: a step failed, or something was left.
"""

import argparse
import fcntl
import shutil
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from devstack.announce import say
from tests.stacks.swarm import commands, machines, needs, report, stage, steps, traffic, waiting

_BOUND_SECONDS = 50 * 60
_ALWAYS = ("machines", "images", "deploy")
_FAILURES = (commands.Failed, waiting.Late, AssertionError, needs.Lacking, traffic.Wrong, OSError)


def main() -> int:
    """Run all steps, or those that are named and what they need."""
    arguments = _parser().parse_args()
    for kind in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: it is ignored in what a script starts in the background
        signal.signal(kind, _interrupt)
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(_BOUND_SECONDS)
    machines.CACHE.mkdir(parents=True, exist_ok=True)
    with machines.FOLDER.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another run has the machine")
            return 1
        return _run(arguments)


def _run(arguments: argparse.Namespace) -> int:
    folder = machines.CACHE / "last"  # logs and figures of the last run
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    on, made = stage.build(folder), report.Report(stage.COUNT)
    start = time.monotonic()
    try:
        needs.provide(on.log)
        on.machines.down()  # what a run that was killed has left
        _play(on, made, arguments.only)
    except needs.Lacking as lacking:
        made.steps.append(report.Step("needs", 0, {}, str(lacking)))
    except KeyboardInterrupt as interrupt:
        made.steps.append(report.Step("interrupted", 0, {}, str(interrupt) or "interrupted"))
    finally:
        made.steps.append(_step("nothing-left", lambda: _clean(on)))
    made.seconds = round(time.monotonic() - start, 1)
    path = arguments.report or folder / "report.json"
    made.write(path)
    say(f"{'passed' if made.good else 'FAILED'} in {made.seconds:.0f} s; figures in {path}, what was said in {on.log}")
    return 0 if made.good else 1


def _play(on: stage.Stage, made: report.Report, only: list[str] | None) -> None:
    """All steps; the first ones must succeed for the others to be tried."""
    for name, step in steps.ALL.items():
        if only and name not in {*_ALWAYS, *only}:
            continue
        made.steps.append(_step(name, lambda step=step: step(on)))  # type: ignore[misc]  # bound now, not later
        if name in _ALWAYS and made.steps[-1].failure:
            return


def _step(name: str, play: steps.Play) -> report.Step:
    say(f"{name} ...")
    start = time.monotonic()
    figures, failure = {}, ""
    try:
        figures = play()
    except _FAILURES as error:
        failure = f"{type(error).__name__}: {error}"
    step = report.Step(name, round(time.monotonic() - start, 1), figures, failure)
    say(str(step))
    return step


def _clean(on: stage.Stage) -> dict[str, int]:
    """Nothing interrupts this."""
    signal.alarm(0)
    for kind in (signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_IGN)
    on.machines.down()
    left = on.machines.left()
    assert not left, "\n  ".join(["left:", *left])
    return {"left": 0}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.stacks.swarm", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--report", type=Path, help="file for the figures, as JSON")
    parser.add_argument("--only", nargs="+", choices=list(steps.ALL), help="these steps alone, and what they need")
    return parser


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _too_long(_number: int, _frame: FrameType | None) -> None:
    message = f"the whole did not end within {_BOUND_SECONDS // 60} minutes"
    raise KeyboardInterrupt(message)


if __name__ == "__main__":
    sys.exit(main())
