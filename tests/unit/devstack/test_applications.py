"""Our own processes, as the runner sees them."""

from pathlib import Path

from devstack import ports
from tests.unit.devstack import sleepers


def test_a_throwaway_application_dies_with_its_starter_even_while_it_is_paused(tmp_path: Path) -> None:
    port = ports.reserve()
    code = (
        "import os, time; from pathlib import Path; from devstack import ports, waiting\n"
        "from devstack.applications import Application\n"
        f"run, log = ['http.server', '{port}'], Path({str(tmp_path)!r}, 'log')\n"
        f"application = Application('x', run, {port}, dict(os.environ), log, throwaway=True)\n"
        f"application.start(); waiting.until(lambda: ports.answers({port}), 20); application.pause()\n"
        "print(application.pid, flush=True); time.sleep(600)"
    )
    sleepers.must_die_with_its_starter(code)
