"""How a fault is judged, on an alert that the test itself raises and resolves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn, cast

import pytest

from tests.alerts import trial
from tests.alerts.faults import Fault
from tests.alerts.scene import Scene
from tests.support.monitoring import Alert

ALERT = Alert("Broken", {"service": "this"})


class Scripted:
    """A scene and its Prometheus in one: what fires is what the test has put there."""

    def __init__(self) -> None:
        self.fires: list[dict[str, str]] = []
        self.monitoring = self

    def firing(self) -> list[dict[str, str]]:
        return self.fires

    def fired_last(self, _alert: Alert) -> float:
        return 0.0

    def on(self) -> None:
        self.fires = [
            {"alertname": "Broken", "service": "this", "severity": "page"},
            {"alertname": "Other", "service": "that"},
        ]

    def off(self) -> None:
        self.fires = []


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    for name in ("RAISED_SECONDS", "RESOLVED_SECONDS", "LINGERING_SECONDS", "_QUIET_SECONDS"):
        monkeypatch.setattr(trial, name, 0.05)
    monkeypatch.setattr(trial, "_LOOK_SECONDS", 0.01)
    return Scripted()


def play(scene: Scripted, *, raises: bool = True, resolves: bool = True, lingers: bool = False) -> trial.Trial:
    """A fault that raises its alert when it begins and resolves it when it is mended, or does not."""

    @contextmanager
    def happening(_scene: Scene) -> Iterator[None]:
        if raises:
            scene.on()
        yield
        if resolves:
            scene.off()

    played = trial.Trial(cast(Scene, scene), lambda _text: None)
    played.play(Fault("fault", ALERT, happening, lingers=lingers))
    return played


def test_an_alert_that_is_raised_and_resolved_passes_and_the_others_are_named(scene: Scripted) -> None:
    (outcome,) = play(scene).outcomes()

    assert outcome.good
    assert outcome.beside == ["Other"]


def test_an_alert_of_another_service_is_not_the_one(scene: Scripted) -> None:
    scene.fires = [{"alertname": "Broken", "service": "that"}]

    (outcome,) = play(scene, raises=False).outcomes()

    assert outcome.failures[0].startswith("not raised within")


def test_an_alert_that_stays_fails(scene: Scripted) -> None:
    (outcome,) = play(scene, resolves=False).outcomes()

    assert outcome.failures[0].startswith("not resolved within")


def test_an_alert_that_fired_before_fails_and_nothing_is_broken(scene: Scripted) -> None:
    scene.on()

    (outcome,) = play(scene, raises=False, resolves=False).outcomes()

    assert "fires before anything is broken" in outcome.failures[0]


def test_one_that_lingers_is_waited_for_at_the_end(scene: Scripted) -> None:
    played = play(scene, resolves=False, lingers=True)
    scene.off()

    (outcome,) = played.outcomes()

    assert outcome.good


def test_one_that_breaks_off_fails(scene: Scripted) -> None:
    def happening(_scene: Scene) -> NoReturn:
        message = "no such table"
        raise ValueError(message)

    played = trial.Trial(cast(Scene, scene), lambda _text: None)
    played.play(Fault("fault", ALERT, happening))

    assert "no such table" in played.outcomes()[0].failures[0]


def test_nothing_is_broken_any_more_when_the_time_is_over(scene: Scripted) -> None:
    played = trial.Trial(cast(Scene, scene), lambda _text: None, whole_seconds=0.0)
    played.play(Fault("fault", ALERT, lambda _scene: pytest.fail("it was broken")))

    assert played.outcomes()[0].failures == ["not played: those before it took all of the time"]
