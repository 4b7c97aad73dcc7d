"""All of monitoring on one machine: what is started, and whom it watches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from devstack import layout, leftovers, pids, ports, servers, supervisor, tools
from devstack.monitoring import exporters, grafana, prometheus, targets
from devstack.monitoring.settings import MonitoringSettings
from devstack.settings import DevstackSettings
from devstack.state import State

NAMES = ("grafana", "prometheus", "kafka-exporter", "postgres-exporter", "node-exporter")
"""Its processes, in the order of stopping."""


class Monitoring:
    """Monitoring on one state folder, whose monitoring/ the caller holds (State.monitored) while it uses this."""

    def __init__(self, settings: MonitoringSettings, say: supervisor.Say) -> None:
        self.settings = settings
        self.state = State(settings.state_dir)
        self._say = say
        self._supervisor = supervisor.Supervisor(lambda name: pids.PidFile(self.state.pids, name), say)
        self._started: list[servers.Server] = []
        self._prometheus = prometheus.PrometheusServer(
            self.state.monitoring, settings.prometheus_port, self.state.log("prometheus")
        )
        self._followed = b""

    def bring_up(self) -> None:
        """Start all that is found and return once it is ready. Raises errors.DevstackError; bring_down() afterwards."""
        tools.prometheus()
        leftovers.end(self.state.pids, NAMES, self._say)
        chosen = list(self._choose())
        layout.refuse_busy([place for place in self.places() if place.name in {each.name for each in chosen}], _COMMAND)
        if not self.system_runs():
            self._say("`make run` is not running: type it in another terminal; until then its targets are missing")
        self._say(f"starting {', '.join(server.name for server in chosen)}")
        self._started = chosen
        self._configure()
        for server in chosen:
            self._supervisor.start(server)
        for server in chosen:
            # An exporter may end for as long as what it asks is not there; it is started again.
            if not isinstance(server, exporters.Exporter):
                server.wait_ready(self.settings.start_seconds)

    def watch(self) -> None:
        """Start again what has ended, and follow a system that was started with other settings."""
        self._supervisor.watch()
        if self._run_settings() != self._followed:
            self._configure()
            self._prometheus.reload()

    def bring_down(self) -> None:
        """Stop everything cleanly."""
        names = [server.name for server in self._started]
        if names:
            self._say(f"stopping {', '.join(names)}")
        self._supervisor.stop(names)

    def places(self) -> list[layout.Place]:
        """The ports of all processes that there may be."""
        return [
            layout.Place(name, getattr(self.settings, f"{setting}_port"), f"{setting.upper()}_PORT")
            for name, setting in ((name, name.replace("-", "_")) for name in NAMES)
        ]

    def started(self) -> list[layout.Place]:
        """Those of what was started."""
        names = {server.name for server in self._started}
        return [place for place in self.places() if place.name in names]

    def system_runs(self) -> bool:
        """Whether any process of `make run` is there."""
        places = layout.servers(self.system()) + layout.applications(self.system())
        return any(pids.PidFile(self.state.pids, place.name).read() for place in places)

    def system(self) -> DevstackSettings:
        """What the system beside this was started with; where it has never run, what it would be started with now."""
        text = self._run_settings()
        return DevstackSettings.model_validate_json(text) if text else self.settings

    def _choose(self) -> Iterator[servers.Server]:
        yield self._prometheus
        for exporter in exporters.of(self.settings, self.state, self.system()):
            if exporter.found:
                yield exporter
            else:
                self._say(exporter.advice)
        found = grafana.found(
            self.state.monitoring / "grafana", self.settings.grafana_port, self.state.log("grafana"), self._told()
        )
        if found is None:
            self._say(grafana.MISSING)
        else:
            yield found

    def _told(self) -> dict[str, str]:
        return {
            "ALLEZONE_PROMETHEUS": f"http://{ports.HOST}:{self.settings.prometheus_port}",
            "ALLEZONE_POSTGRES": f"{ports.HOST}:{self.system().db_port}",
            "ALLEZONE_POSTGRES_PASSWORD": self.state.password(),
        }

    def _configure(self) -> None:
        self._followed = self._run_settings()
        self._prometheus.configure([*targets.of_system(self.system()), *self._own_targets()])

    def _own_targets(self) -> Iterator[targets.Target]:
        for server in self._started:
            if isinstance(server, exporters.Exporter):
                yield server.target
        for place in self.started():
            if place.name in ("prometheus", "grafana"):
                yield targets.Target(place.name, place.name, place.port)

    def _run_settings(self) -> bytes:
        """What `make run` has left of its last start; empty if it has never run."""
        with suppress(FileNotFoundError):
            return self.state.settings.read_bytes()
        return b""


_COMMAND = "make run-monitoring"
