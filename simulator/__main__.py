"""`python -m simulator`: run the test stream against a system, and say whether its answers were right.

    python -m simulator --target http://127.0.0.1:8088 --rate 1000 --tags 60000 --seed 1

    python -m simulator --target https://shop.example --token-file token --ca-file ca.pem --inside none

The second one asks a system of production from outside: with a token, over TLS, without its internal port.

Every option is a variable as well (`--rate` is SIMULATE_RATE). Exit status: 0 all right, 1 something was wrong or
refused, 2 the run did not start.

By default every run has cookies and minutes of its own (`times.default_start`), so that runs one after another against
one system do not meet. `--run-id` together with `--seed` and `--rate` repeats a run; on a system that still holds the
first one it is refused, for its minutes are not empty. Two runs at the same time need a `--start` each.
"""

import asyncio
import gc
import sys
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from simulator import errors, report, run, settings

# Where the output is no terminal.
_COLUMNS: Final = 130


def main(arguments: list[str]) -> int:
    """Run once; gives the exit status."""
    chosen = settings.from_command_line(arguments)
    console = Console(width=None if sys.stdout.isatty() else _COLUMNS)
    # Little of what a run makes is cyclic; full collections over its memory would show as lateness.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(_run(chosen, console))
    except (errors.SimulatorError, ValueError) as error:
        console.print(f"simulator: {error}", style="red", soft_wrap=True, markup=False)
        return 2
    except KeyboardInterrupt:
        return 130
    report.show(found, console)
    if chosen.simulate_json is not None:
        Path(chosen.simulate_json).write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2))
    return found.exit_status


async def _run(chosen: settings.SimulatorSettings, console: Console) -> report.Report:
    broken = _end_on_broken_callback()
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.completed:,.0f} tags"),
        TimeRemainingColumn(),
        console=console,
        auto_refresh=False,
    )
    with bar:
        task = bar.add_task("sending", total=chosen.simulate_tags)

        def progress(sent: int) -> None:
            bar.update(task, completed=sent, refresh=True)

        try:
            return await run.Run(chosen).run(progress)
        except asyncio.CancelledError:
            if broken:
                raise broken[0] from None
            raise


def _end_on_broken_callback() -> list[BaseException]:
    """An error in a callback of the event loop would only be logged, and the run go on without that answer."""
    broken: list[BaseException] = []
    main_task = asyncio.current_task()

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        loop.default_exception_handler(context)
        error = context.get("exception")
        if error is not None and main_task is not None:
            broken.append(error)
            main_task.cancel()

    asyncio.get_running_loop().set_exception_handler(handle)
    return broken


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
