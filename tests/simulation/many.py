"""Many seeds in several processes, and one seed with its trace printed."""

import gc
import logging
import multiprocessing
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any, Final

import structlog

from tests.simulation import run, scheduler

_CHUNK: Final = 25
"""Seeds of one child process. What a killed worker left is never freed: to free it would run its clean-up."""
_PROGRESS: Final = 1_000
_SHOWN: Final = 5
_STUCK_S: Final = 60
_FAILED: Final = 1


class Stuck(Exception):
    """Real time passes and virtual time does not."""


def run_all(seeds: Sequence[int], processes: int, until_failure: bool) -> int:
    """Run them and print which failed. Gives the exit status."""
    prepare()
    run.run(seeds[0])  # here, so that what Faust imports at its first start is there in every child
    began, failed, cpu_s = time.monotonic(), 0, 0.0
    chunks = [seeds[at : at + _CHUNK] for at in range(0, len(seeds), _CHUNK)]
    done = 0
    with multiprocessing.get_context("fork").Pool(processes, maxtasksperchild=1) as pool:
        for results, spent_s in pool.imap(_chunk, chunks):
            done, cpu_s = done + len(results), cpu_s + spent_s
            for result in results:
                failed += _told(result)
            if done % _PROGRESS == 0 and done < len(seeds):
                _say(f"{done} seeds, {failed} failed so far")
            if failed and until_failure:
                break
    elapsed_s = time.monotonic() - began
    _say(f"{done} seeds, {failed} failed, in {elapsed_s:.1f} s, {1000 * cpu_s / max(done, 1):.1f} ms of CPU each")
    return _FAILED if failed else 0


def show(seeds: Sequence[int]) -> int:
    """Run them and print all that happened in them, with what the workers logged. Gives the exit status."""
    prepare(logs=True)
    return max(_shown(seed) for seed in seeds)


def prepare(logs: bool = False) -> None:
    """Make this process fit to run seeds: silent, and nothing is collected behind its back."""
    gc.disable()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    structlog.configure(processors=[_note if logs else _drop], cache_logger_on_first_use=False)
    signal.signal(signal.SIGALRM, _stuck)


def _chunk(seeds: Sequence[int]) -> tuple[list[run.Result], float]:
    began = time.process_time()
    return list(_each(seeds)), time.process_time() - began


def _each(seeds: Sequence[int]) -> Iterator[run.Result]:
    for seed in seeds:
        signal.alarm(_STUCK_S)
        yield run.run(seed)
        signal.alarm(0)


def _shown(seed: int) -> int:
    result = run.run(seed)
    for line in result.trace:
        _say(line)
    failed = _told(result)
    _say(f"seed {seed}: {result.events} events, {result.steps} steps, {result.virtual_s:.1f} virtual s")
    return _FAILED if failed else 0


def _told(result: run.Result) -> bool:
    """Say what was wrong with a seed, if anything was."""
    if not result.complaints:
        return False
    _say(f"seed {result.seed} failed; `python -m tests.simulation {result.seed}` shows it again:")
    for complaint in result.complaints[:_SHOWN]:
        _say(f"    {complaint}")
    if len(result.complaints) > _SHOWN:
        _say(f"    and {len(result.complaints) - _SHOWN} more")
    return True


def _note(_logger: Any, _method: str, event: Any) -> Any:
    loop = run.current()
    if loop is not None:
        loop.note(f"    {scheduler.CURRENT.get().name}: {event}")
    raise structlog.DropEvent


def _drop(_logger: Any, _method: str, _event: Any) -> Any:
    raise structlog.DropEvent


def _stuck(_number: int, _frame: FrameType | None) -> None:
    raise Stuck


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
