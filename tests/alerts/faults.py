"""What is broken, and the alert that must say so."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Final, NamedTuple

from tests.alerts.scene import Scene
from tests.support.monitoring import Alert


class Fault(NamedTuple):
    """`happening` breaks something on entry and mends it on exit.

    A fault that `lingers` is a single moment: its alert looks back over some minutes, and is resolved when they are
    over and other faults happen.
    """

    name: str
    alert: Alert
    happening: Callable[[Scene], AbstractContextManager[None]]
    lingers: bool = False


def _gone(service: str) -> Alert:
    return Alert("ServiceGone", {"service": service})


ALL: Final = {
    fault.name: fault
    for fault in (
        Fault("wrong-answer", Alert("AnswersWrong", {"endpoint": "/aggregates"}), Scene.wrong_answer, lingers=True),
        Fault("dead-letters", Alert("DeadLettersArriving"), Scene.broken_records, lingers=True),
        Fault("backlog", Alert("BacklogGrowing", {"service": "aggregates"}), Scene.no_sums_stored),
        Fault("pipeline-stopped", _gone("aggregates"), lambda on: on.stopped("pipeline-aggregates-1")),
        Fault("pipeline-killed", _gone("profiles"), lambda on: on.killed("pipeline-profiles-1")),
        # As the gateways see it: an exporter, which would see it too (PostgresDown), is not on every machine.
        Fault("postgres-down", Alert("DependencyDown", {"dependency": "aggregates"}), lambda on: on.killed("postgres")),
        Fault("gateway-down", _gone("gateway"), lambda on: on.killed("gateway-1")),
    )
}
