"""`python -m devstack COMMAND`: the commands behind the Makefile."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from devstack import announce, errors, jars, layout, leftovers, pids, tools
from devstack.monitoring import announcement
from devstack.monitoring import stack as monitoring_stack
from devstack.monitoring.settings import MonitoringSettings
from devstack.settings import DevstackSettings
from devstack.stack import Stack
from devstack.state import State
from runtime import settings as runtime_settings

_WATCH_INTERVAL_SECONDS = 0.2
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run() -> None:
    """Bring the whole system up, keep it running, and take it down on Ctrl-C or SIGTERM."""
    began = time.monotonic()
    settings = runtime_settings.load(DevstackSettings)
    stack = Stack(settings, announce.say)
    with stack.state.owned(), _until_stopped(stack):
        fetch()
        stack.bring_up()
        announce.say(announce.ready(settings, stack.state, time.monotonic() - began))
        _keep(stack)
    announce.say("stopped")


def run_monitoring() -> None:
    """Watch the running system with Prometheus, and Grafana where it is found, until Ctrl-C or SIGTERM."""
    began = time.monotonic()
    monitoring = monitoring_stack.Monitoring(runtime_settings.load(MonitoringSettings), announce.say)
    with monitoring.state.monitored(), _until_stopped(monitoring):
        monitoring.bring_up()
        announce.say(announcement.ready(monitoring, time.monotonic() - began))
        _keep(monitoring)
    announce.say("stopped")


def fetch() -> None:
    """Fetch Kafka's jars, if they are not there."""
    tools.java()
    if not jars.present():
        announce.say(f"fetching Kafka {jars.version()} with Maven, 44 MB, once")
        jars.ensure()


def clean_state() -> None:
    """Forget all data, logs and the password. Refused while the system runs."""
    state = State(runtime_settings.load(DevstackSettings).state_dir)
    if not state.exists:
        announce.say(f"nothing to forget in {state.root}")
        return
    with state.owned(), state.monitored():
        left = layout.in_stop_order(pids.written(state.pids))
        leftovers.end(state.pids, [*monitoring_stack.NAMES, *left], announce.say)
        state.forget()
    announce.say(f"forgot {state.root}")


COMMANDS: dict[str, Callable[[], None]] = {
    "run": run,
    "run-monitoring": run_monitoring,
    "fetch": fetch,
    "clean-state": clean_state,
}


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        sys.stderr.write("usage: python -m devstack COMMAND\n")
        sys.stderr.writelines(f"  {name:15} {command.__doc__}\n" for name, command in COMMANDS.items())
        return 2
    try:
        COMMANDS[arguments[0]]()
    except errors.DevstackError as reason:
        sys.stderr.write(f"{reason}\n")
        return 1
    return 0


@contextmanager
def _until_stopped(servers: Stack | monitoring_stack.Monitoring) -> Iterator[None]:
    """A first signal to end leaves this block; what was brought up in it comes down, however it was left."""
    try:
        _interrupt_once()
        yield
    except KeyboardInterrupt:
        announce.say("asked to stop")
    finally:
        _ignore_signals()
        servers.bring_down()


def _keep(servers: Stack | monitoring_stack.Monitoring) -> None:
    while True:
        servers.watch()
        time.sleep(_WATCH_INTERVAL_SECONDS)


def _interrupt_once() -> None:
    """The first signal to end interrupts whatever is going on; later ones must not interrupt the ending."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        _ignore_signals()
        raise KeyboardInterrupt

    for number in _ENDING:
        # Under nohup, SIGHUP comes ignored and is meant to stay so. A shell's `&` does the same to SIGINT, by no wish.
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, interrupt)


def _ignore_signals() -> None:
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
