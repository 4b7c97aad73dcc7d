"""The whole system on one machine: what is started with what, and in which order it comes and goes."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence

from devstack import applications, layout, leftovers, pids, ports, servers, supervisor
from devstack.kafka import KafkaServer, Node
from devstack.postgres import PostgresServer
from devstack.settings import DevstackSettings
from devstack.state import State
from gateway.settings import GatewaySettings
from pipeline.settings import AggregatesSettings, ProfilesSettings

DATABASE = "allezone"


class Stack:
    """One system on one state folder, which the caller owns (State.owned) while it uses this."""

    def __init__(self, settings: DevstackSettings, say: supervisor.Say) -> None:
        self.settings = settings
        self.state = State(settings.state_dir)
        self._say = say
        self._supervisor = supervisor.Supervisor(lambda name: pids.PidFile(self.state.pids, name), say)
        self._started: list[str] = []

    def bring_up(self) -> None:
        """Start everything and return once all of it is ready. Raises errors.DevstackError; bring_down() afterwards."""
        leftovers.end(self.state.pids, layout.in_stop_order(pids.written(self.state.pids)), self._say)
        layout.refuse_busy_ports(self.settings)
        self._start_servers()
        self._prepare()
        self._start_applications()

    def watch(self) -> None:
        """Start again what has ended: see supervisor.Supervisor.watch."""
        self._supervisor.watch()

    def bring_down(self) -> None:
        """Stop everything cleanly: gateways first, then workers, then the servers."""
        for place in sorted({layout.stop_order(name) for name in self._started}):
            names = [name for name in self._started if layout.stop_order(name) == place]
            self._say(f"stopping {', '.join(names)}")
            self._supervisor.stop(names)

    def environment(self) -> dict[str, str]:
        """How the processes, and commands that a person runs beside them, find the servers."""
        return {
            "ENVIRONMENT": "local",
            "KAFKA_HOSTS": f"{ports.HOST}:{self.settings.kafka_port}",
            "KAFKA_REPLICATION": "1",
            "KAFKA_MIN_INSYNC": "1",
            "DB_HOST": ports.HOST,
            "DB_PORT": str(self.settings.db_port),
            "DB_NAME": DATABASE,
            "DB_USER": "allezone",
            "DB_PASSWORD": self.state.password(),
        }

    def environment_file(self) -> str:
        """The same as a file for a shell, with what was set for the runner and goes on to the processes."""
        return _as_shell(_inherited_settings() | self.environment())

    def _start_servers(self) -> None:
        self._say("starting postgres and kafka")
        postgres, kafka = self._postgres(), self._kafka()
        self._start([postgres, kafka])
        if not postgres.has_database(DATABASE):
            postgres.create_database(DATABASE)

    def _prepare(self) -> None:
        """Migrate the database and make the topic, by the commands that any deployment uses."""
        self.state.write_private(self.state.environment, self.environment_file())
        self.state.write_private(self.state.settings, self.settings.model_dump_json())
        self._say("bringing the database and the topic to this version's form")
        for arguments in (("stores", "migrate"), ("broker", "ensure-topics")):
            applications.run_to_end(arguments, self._environment_with({}), self.state.log("prepare"))

    def _start_applications(self) -> None:
        started = list(self._applications())
        self._say(f"starting {', '.join(application.name for application in started)}")
        self._start(started)

    def _start(self, together: Sequence[servers.Server]) -> None:
        for server in together:
            self._started.append(server.name)
            self._supervisor.start(server)
        for server in together:
            server.wait_ready(self.settings.start_seconds)

    def _kafka(self) -> KafkaServer:
        node = Node(1, self.settings.kafka_port, self.settings.kafka_controller_port)
        return KafkaServer(
            self.state.kafka,
            node,
            heap=self.settings.kafka_heap,
            jmx_port=self.settings.kafka_jmx_port or None,
            log=self.state.log("kafka"),
        )

    def _postgres(self) -> PostgresServer:
        state, log = self.state.postgres, self.state.log("postgres")
        return PostgresServer(state, self.settings.db_port, password=self.state.password(), log=log)

    def _applications(self) -> Iterator[applications.Application]:
        for place in layout.applications(self.settings):
            arguments = place.name.rsplit("-", 1)[0].split("-")
            own = {"GATEWAY_PORT": str(place.port), "INTERNAL_PORT": "0"}
            if arguments != ["gateway"]:
                own = {"PROBE_PORT": str(place.port), "DATA_DIR": str(self.state.workers / place.name)}
            environment = self._environment_with(own)
            yield applications.Application(place.name, arguments, place.port, environment, self.state.log(place.name))

    def _environment_with(self, more: Mapping[str, str]) -> dict[str, str]:
        """What was set for the runner goes on to the processes, except what the runner itself decides."""
        own = {**self.environment(), **more}
        own["PYTHONUNBUFFERED"] = "1"  # what a process said last, before it was killed, is in its log
        inherited = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in own}
        return inherited | own


def _inherited_settings() -> dict[str, str]:
    """What was set for the runner and goes on to the processes: a command beside them must use the same stores."""
    kinds = (GatewaySettings, AggregatesSettings, ProfilesSettings)
    names = {name.upper() for kind in kinds for name in kind.model_fields}
    return {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") in names}


def _as_shell(environment: Mapping[str, str]) -> str:
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items())
