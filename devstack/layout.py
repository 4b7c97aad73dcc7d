"""Which processes there are and on which ports, from the settings alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from devstack import errors, ports, waiting
from devstack.settings import DevstackSettings

_STOP_ORDER = ("gateway", "pipeline", "kafka", "postgres")  # who takes requests goes first, who keeps data last
_NAME = re.compile(r"(gateway|pipeline-\w+)-\d+|kafka|postgres")
_LET_GO_SECONDS = 2.0


@dataclass(frozen=True)
class Place:
    """A port of a process. `setting` is what moves it."""

    name: str
    port: int
    setting: str


def servers(settings: DevstackSettings) -> list[Place]:
    """A place a port that is listened on."""
    places = [
        Place("kafka", settings.kafka_port, "KAFKA_PORT"),
        Place("kafka", settings.kafka_controller_port, "KAFKA_CONTROLLER_PORT"),
        Place("kafka", settings.kafka_jmx_port, "KAFKA_JMX_PORT"),
        Place("postgres", settings.db_port, "DB_PORT"),
    ]
    return [place for place in places if place.port]


def applications(settings: DevstackSettings) -> list[Place]:
    """Named KIND-NUMBER, where KIND with spaces for dashes is what `python -m` runs."""
    return [
        *_row("gateway", settings.gateways, settings.gateway_port, "GATEWAY_PORT"),
        *_row("pipeline-aggregates", settings.aggregates_workers, settings.aggregates_port, "AGGREGATES_PORT"),
        *_row("pipeline-profiles", settings.profiles_workers, settings.profiles_port, "PROFILES_PORT"),
    ]


def stop_order(name: str) -> int:
    """The place of a process in the order of stopping; those of equal place are stopped together."""
    return next(place for place, prefix in enumerate(_STOP_ORDER) if name.startswith(prefix))


def in_stop_order(names: Iterable[str]) -> list[str]:
    """Those of `names` that `make run` starts, in the order of stopping: others may have pid files beside them."""
    return sorted(filter(_NAME.fullmatch, names), key=stop_order)


def refuse_busy_ports(settings: DevstackSettings) -> None:
    """Raise errors.PortBusy, with a sentence for each port of `make run` that cannot be had."""
    refuse_busy(servers(settings) + applications(settings), "make run")


def refuse_busy(places: Sequence[Place], command: str) -> None:
    """The same for `places`; `command` is what is typed again with another port."""
    uses = Counter(place.port for place in places)
    # A process that has just been ended lets go of its port a moment after nothing else is left of it.
    waiting.until(lambda: all(ports.is_free(place.port) for place in places), _LET_GO_SECONDS)
    complaints = [_complaint(place, uses[place.port], command) for place in places]
    if any(complaints):
        raise errors.PortBusy("\n".join(filter(None, complaints)))


def _row(kind: str, count: int, first: int, setting: str) -> list[Place]:
    return [Place(f"{kind}-{number + 1}", first + number, setting) for number in range(count)]


def _complaint(place: Place, uses: int, command: str) -> str | None:
    if uses > 1:
        return f"Port {place.port} is meant for {uses} processes, {place.name} is one: move it with {place.setting}."
    if ports.is_free(place.port):
        return None
    owner = ports.listener(place.port)
    return (
        f"Port {place.port} for {place.name} is taken{f' by {owner}' if owner else ''}: "
        f"end that, or choose another port with `{place.setting}=... {command}`."
    )
