"""An Alertmanager of a test's own, with the example of a configuration. Debian's is older than the stack's."""

from pathlib import Path
from typing import Final
from urllib.request import urlopen

from devstack import paths, ports, processes, servers, web
from tests.support import programs

EXAMPLE: Final = paths.PROJECT / "monitoring" / "alertmanager" / "alertmanager.example.yml"


class Alertmanager(servers.Server):
    """Tells nobody, for nobody tells it. Skips the test where there is none installed."""

    def __init__(self, folder: Path) -> None:
        super().__init__("alertmanager", folder / "alertmanager.log")
        (self._program,) = programs.require("prometheus-alertmanager")
        self.port = ports.reserve()
        self._folder = folder

    def command(self) -> processes.Command:
        argv = [
            self._program,
            f"--config.file={EXAMPLE}",
            f"--storage.path={self._folder / 'data'}",
            f"--web.listen-address={ports.HOST}:{self.port}",
            "--cluster.listen-address=",
        ]
        return processes.Command(self.name, argv, self.log)

    def answers(self) -> bool:
        return web.answers(self.port, "/-/ready")

    def metrics(self) -> str:
        with urlopen(f"http://{ports.HOST}:{self.port}/metrics") as answer:
            text: str = answer.read().decode()
        return text
