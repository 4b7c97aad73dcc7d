"""Ready once every dependency has answered; afterwards only the vital ones matter."""

import pytest

from runtime.health import Dependencies


@pytest.fixture
def dependencies() -> Dependencies:
    return Dependencies(vital=["kafka"], others=["postgresql"])


def test_nothing_is_ready_before_everything_has_answered_once(dependencies: Dependencies) -> None:
    assert not dependencies.ready
    dependencies.up("kafka")
    assert not dependencies.ready
    dependencies.up("postgresql")
    assert dependencies.ready


def test_a_dependency_that_goes_is_named_but_only_a_vital_one_ends_readiness(dependencies: Dependencies) -> None:
    dependencies.up("kafka")
    dependencies.up("postgresql")
    dependencies.down("postgresql", "fails over")
    assert dependencies.ready
    assert dependencies.report()["dependencies"]["postgresql"] == {
        "state": "down",
        "vital": False,
        "detail": "fails over",
    }
    dependencies.down("kafka", "no answer")
    assert not dependencies.ready


def test_a_vital_dependency_that_is_back_makes_it_ready_again(dependencies: Dependencies) -> None:
    dependencies.up("postgresql")
    dependencies.up("kafka")
    dependencies.down("kafka", "no answer")
    dependencies.up("kafka")
    assert dependencies.ready


def test_one_that_never_answered_does_not_become_ready_by_being_down(dependencies: Dependencies) -> None:
    dependencies.up("kafka")
    dependencies.down("postgresql", "no answer")
    assert not dependencies.ready


def test_a_process_that_stops_is_never_ready_again(dependencies: Dependencies) -> None:
    dependencies.up("kafka")
    dependencies.up("postgresql")
    dependencies.stop()
    dependencies.up("kafka")
    assert not dependencies.ready
    assert dependencies.report()["stopping"] is True


def test_an_answer_clears_the_reason_of_the_failure_before(dependencies: Dependencies) -> None:
    dependencies.down("kafka", "no answer")
    dependencies.up("kafka")
    assert dependencies.report()["dependencies"]["kafka"]["detail"] == ""
