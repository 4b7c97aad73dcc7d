"""What `make test-alerts` says of a fault."""

from tests.alerts.outcome import Outcome, table


def test_a_fault_whose_alert_came_and_went_has_passed() -> None:
    text = table([Outcome("gateway-down", "ServiceGone", 54.2, 12.0, beside=["TargetMissing"])])

    assert text.splitlines() == [
        "fault         alert        raised after  resolved after  result",
        "gateway-down  ServiceGone  54 s          12 s            passed",
        "beside gateway-down: TargetMissing",
    ]


def test_one_whose_alert_was_not_seen_to_come_or_to_go_has_failed() -> None:
    never = Outcome("backlog", "BacklogGrowing", failures=["not raised within 120 s"])
    stays = Outcome("backlog", "BacklogGrowing", raised_s=30.0)

    assert not never.good
    assert not stays.good
    assert "FAILED backlog: not raised within 120 s" in table([never])
