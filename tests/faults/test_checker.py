"""What judges the faults is judged here: each way of breaking a promise is found, and a seed always makes one plan."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from schemas import codec, tags
from stores import profiles
from tests.faults import actions, checker, history, report, stage, stored, tagging
from tests.faults.history import Entry, History, Status
from tests.faults.scenarios import gateways, workers
from tests.support.tags import tag as posted


def _told(**statuses: Status) -> list[Entry]:
    return [Entry(name, 1.0, status, 2.0) for name, status in statuses.items()]


HISTORY = _told(a="acknowledged", b="acknowledged", r="refused", u="unknown")
GOOD = {"a": 1, "b": 1}


def test_acknowledged_events_counted_once_break_no_promise_whatever_became_of_the_unknown() -> None:
    for counted in (GOOD, GOOD | {"u": 1}):
        verdict = checker.check(HISTORY, counted, counted)
        assert verdict.failures == []
        assert (verdict.sent, verdict.acknowledged, verdict.refused, verdict.unknown) == (4, 2, 1, 1)
        assert verdict.counted == len(counted)


@pytest.mark.parametrize(
    ("counted", "kind", "names"),
    [
        ({"a": 1}, "lost", ["b"]),
        ({"a": 1, "b": 0}, "lost", ["b"]),
        ({"a": 1, "b": 2}, "doubled", ["b"]),
        (GOOD | {"u": 2}, "doubled", ["u"]),
        (GOOD | {"r": 1}, "uninvited", ["r"]),
        (GOOD | {"never-sent": 1}, "uninvited", ["never-sent"]),
    ],
)
def test_a_broken_promise_is_found_in_the_sums_and_in_profiles(
    counted: dict[str, int], kind: str, names: list[str]
) -> None:
    for verdict in (checker.check(HISTORY, counted), checker.check(HISTORY, GOOD, counted)):
        assert getattr(verdict, kind) == names
        assert len(verdict.failures) >= 1
        assert all(name in " ".join(verdict.failures) for name in names)


def test_an_unknown_event_that_only_one_of_both_stores_has_is_found() -> None:
    verdict = checker.check(HISTORY, GOOD | {"u": 1}, GOOD)
    assert (verdict.lost, verdict.elsewhere) == ([], ["u"])
    assert verdict.failures == ["1 in the sums or in a profile, not in both: u"]


def test_ids_that_were_used_twice_are_found_for_they_cannot_be_judged() -> None:
    verdict = checker.check([*HISTORY, *_told(a="refused")], GOOD)
    assert verdict.repeated == ["a"]
    assert verdict.failures


def test_a_history_is_read_back_from_its_file_whoever_wrote_to_it(tmp_path: Path) -> None:
    def write(writer: int) -> None:
        for number in range(200):
            log.note(f"{writer}-{number}", 1.0, "unknown")

    with History(tmp_path / "some" / "requests.jsonl") as log, ThreadPoolExecutor(5) as pool:
        list(pool.map(write, range(5)))

    found = list(history.read(log.path))
    assert {entry.id for entry in found} == {f"{at}-{n}" for at in range(5) for n in range(200)}
    assert len(found) == 1_000
    assert all(entry.ended > entry.sent for entry in found)
    assert json.loads(log.path.read_text().splitlines()[0]).keys() == {"id", "sent", "status", "ended"}


@pytest.mark.parametrize("size", ["full", "short"])
def test_a_seed_makes_one_plan_and_another_seed_another(size: stage.Size) -> None:
    for plan in (workers.plan, gateways.plan):
        assert plan(size, 7) == plan(size, 7)
        assert plan(size, 7) != plan(size, 8)


@pytest.mark.parametrize("seed", range(50))
def test_every_plan_has_what_it_is_to_show(seed: int) -> None:
    plans = workers.plan("full", seed)
    together = [action for plan in plans.values() for action in plan]
    kinds = [action.kind for action in together]
    assert sum(action.kind == "kill" and action.target in plans for action in together) >= 30
    assert kinds.count("stop") == 3
    assert all(action.for_s > 6 for action in together if action.kind == "stop")
    for plan in plans.values():
        gaps = [later.at_s - earlier.at_s for earlier, later in itertools.pairwise(plan)]
        assert all(0.1 <= round(gap, 3) <= 2.0 for gap in gaps)
        moves = [action.kind for action in plan if action.kind in ("join", "leave")]
        assert moves == ["join", "leave"] * (len(moves) // 2)
        assert moves

    plan = gateways.plan("full", seed)
    assert [action.at_s for action in plan] == sorted(action.at_s for action in plan)
    frozen = False
    inside = []
    for action in plan:
        frozen = {"freeze": True, "thaw": False}.get(action.kind, frozen)
        inside += [action.kind] if frozen else []
    assert inside.count("kill") == inside.count("term") == inside.count("freeze") == 3
    assert not frozen


def test_an_event_is_the_same_whether_it_is_posted_or_put_into_the_log() -> None:
    _, value = tagging.record("some-id", 12)
    tag = codec.decode_tag(value)
    body = json.loads(tagging.body("some-id", 12))
    assert (body["cookie"], body["origin"]) == (tag.cookie, tag.origin) == ("some-id", "some-id")
    assert body["product_info"]["price"] == tag.price == tagging.price("some-id")
    assert body.keys() == posted().keys()
    assert tag.action in tags.ACTIONS


def _entry(event: tags.UserTag, **changed: object) -> stored.Entry:
    key = profiles.entry_key(event.time, None, 1, 2)
    return stored.Entry(event.cookie, event.action, key, codec.encode_tag(msgspec.structs.replace(event, **changed)))


EVENT = tagging.tag("some-id", 12)


def test_an_entry_of_a_profile_that_is_not_the_event_that_was_sent_is_found() -> None:
    assert stored.strangers([_entry(EVENT)]) == []
    for changed in ({"price": 1}, {"origin": "other"}, {"cookie": "other"}, {"action": "BUY"}, {"time": 1}):
        assert stored.strangers([_entry(EVENT, **changed)]) == ["some-id"]
    for broken in (b"", codec.encode_tag(EVENT)[:-1]):
        assert stored.strangers([_entry(EVENT)._replace(value=broken)]) == ["some-id"]
    assert stored.strangers([_entry(EVENT)._replace(key=bytes(20))]) == ["some-id"]


def test_a_sum_under_another_minute_or_action_than_its_events_is_found() -> None:
    item = tags.item_of(EVENT)
    assert stored.misplaced([item], [_entry(EVENT)]) == []
    for wrong in (msgspec.structs.replace(item, minute=1), msgspec.structs.replace(item, action="BUY")):
        assert stored.misplaced([wrong], [_entry(EVENT)]) == ["some-id"]


def test_what_was_skipped_is_named_in_the_last_line_and_hides_no_failure() -> None:
    skipped = report.Outcome("x", 7, skipped="no disk", failures=["something else"])
    assert str(skipped).splitlines() == ["x: skipped: no disk", "  FAILED: something else"]
    good = report.outcome("y", 7, checker.check(HISTORY, GOOD))
    whole = report.Report(7, "full", 1.0, [good, report.Outcome("x", 7, skipped="no disk")])
    assert str(whole) == "passed in 1 s, seed 7: lost 0, doubled 0, 1 skipped: x"
    assert str(report.Report(7, "full", 1.0, [good])) == "passed in 1 s, seed 7: lost 0, doubled 0"


def test_a_report_says_what_was_found_and_is_bad_if_one_scenario_is(tmp_path: Path) -> None:
    plan = [actions.Action(1.0, "kill", "gateway-1")]
    bad = report.outcome("x", 7, checker.check(HISTORY, {"a": 2}), plan=plan, recovery_s={"killed": [1.234, 2.0]})
    good = report.outcome("y", 7, checker.check(HISTORY, GOOD))
    assert (bad.lost, bad.doubled, good.lost, good.doubled) == (1, 1, 0, 0)

    whole = report.Report(7, "full", 1.0, [good, bad])
    assert not whole.good
    assert report.Report(7, "full", 1.0, [good]).good
    whole.write(tmp_path / "new" / "report.json")
    read = json.loads((tmp_path / "new" / "report.json").read_text())
    assert read["outcomes"][1]["plan"] == [{"at_s": 1.0, "kind": "kill", "target": "gateway-1", "for_s": 0.0}]
    assert read["outcomes"][1]["recovery_s"] == {"killed": [1.23, 2.0]}
    assert "lost 1, doubled 1" in str(bad)
