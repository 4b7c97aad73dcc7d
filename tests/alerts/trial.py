"""Each fault, its alert raised, mended, resolved: played one after the other, with the seconds that each took."""

import time
import traceback
from collections.abc import Callable
from typing import Final

from devstack import waiting
from tests.alerts.faults import Fault
from tests.alerts.outcome import Outcome
from tests.alerts.scene import Scene
from tests.support.monitoring import Alert

RAISED_SECONDS: Final = 120.0
RESOLVED_SECONDS: Final = 120.0
LINGERING_SECONDS: Final = 420.0
WHOLE_SECONDS: Final = 15 * 60.0
_QUIET_SECONDS: Final = 180.0
_LOOK_SECONDS: Final = 0.5
_EVALUATED_EVERY_SECONDS: Final = 5.0  # monitoring/prometheus/local.yml

Say = Callable[[str], None]


class Trial:
    """Plays faults on `scene`; those whose alerts linger are waited for in `outcomes`.

    No wait goes on once `whole_seconds` have passed since this was made.
    """

    def __init__(self, scene: Scene, say: Say, whole_seconds: float = WHOLE_SECONDS) -> None:
        self._scene = scene
        self._say = say
        self._played: list[Outcome] = []
        self._lingering: list[tuple[Fault, Outcome, float]] = []
        self._deadline = time.monotonic() + whole_seconds

    def play(self, fault: Fault) -> None:
        """Break, wait for the alert, mend, and wait until it is resolved, unless it lingers."""
        self._say(f"-- {fault.name}: {fault.alert}")
        outcome = Outcome(fault.name, str(fault.alert))
        self._played.append(outcome)
        if time.monotonic() >= self._deadline:
            outcome.failures.append("not played: those before it took all of the time")
            return
        try:
            self._play(fault, outcome)
        except Exception as error:  # the next one is played all the same
            self._say(traceback.format_exc())
            outcome.failures.append(f"broke off: {error!r}")

    def outcomes(self) -> list[Outcome]:
        """What came of all that was played, once the last alert is resolved."""
        for fault, outcome, mended in self._lingering:
            self._resolve(fault.alert, outcome, mended, mended + LINGERING_SECONDS - time.time())
        self._lingering.clear()
        return self._played

    def _play(self, fault: Fault, outcome: Outcome) -> None:
        if not self._await(fault.alert, fires=False, seconds=_QUIET_SECONDS):
            outcome.failures.append(f"{fault.alert} fires before anything is broken")
            return
        before = self._names()
        began = time.time()
        with fault.happening(self._scene):
            if self._await(fault.alert, fires=True, seconds=RAISED_SECONDS):
                outcome.raised_s = time.time() - began
                self._say(f"   raised after {outcome.raised_s:.0f} s")
            else:
                outcome.failures.append(f"not raised within {time.time() - began:.0f} s")
            outcome.beside = sorted(self._names() - before - {fault.alert.name})
        if fault.lingers:
            self._lingering.append((fault, outcome, time.time()))
        else:
            self._resolve(fault.alert, outcome, time.time(), RESOLVED_SECONDS)

    def _resolve(self, alert: Alert, outcome: Outcome, mended: float, seconds: float) -> None:
        if self._await(alert, fires=False, seconds=seconds):
            last = self._scene.monitoring.fired_last(alert)
            outcome.resolved_s = max(0.0, last + _EVALUATED_EVERY_SECONDS - mended)
            self._say(f"   {outcome.fault}: resolved after {outcome.resolved_s:.0f} s")
        else:
            outcome.failures.append(f"not resolved within {time.time() - mended:.0f} s of the mend")

    def _await(self, alert: Alert, *, fires: bool, seconds: float) -> bool:
        def is_so() -> bool:
            return any(alert.is_of(labels) for labels in self._scene.monitoring.firing()) is fires

        return waiting.until(is_so, min(seconds, self._deadline - time.monotonic()), interval=_LOOK_SECONDS)

    def _names(self) -> set[str]:
        return {labels["alertname"] for labels in self._scene.monitoring.firing()}
