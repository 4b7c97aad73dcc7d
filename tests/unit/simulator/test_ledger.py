from simulator.ledger import Ledger


def test_nothing_was_answered_before_the_first_answer() -> None:
    assert Ledger().answered_before(1e9) == 0


def test_a_tag_that_is_still_under_way_holds_back_those_behind_it() -> None:
    ledger = Ledger()
    for now, serial in [(1.0, 0), (2.0, 2), (3.0, 3)]:
        ledger.answer(serial, now)
    assert ledger.answered_before(10.0) == 1
    ledger.answer(1, 4.0)
    assert ledger.answered_before(10.0) == 4


def test_an_answer_counts_from_its_moment() -> None:
    ledger = Ledger()
    for serial in range(60):
        ledger.answer(serial, float(serial))
    assert [ledger.answered_before(moment) for moment in (-1.0, 0.0, 41.5, 59.0)] == [0, 1, 42, 60]


def test_between_two_marks_it_says_rather_too_few() -> None:
    ledger = Ledger()
    for serial in range(1_000):
        ledger.answer(serial, serial / 1_000)
    assert 800 <= ledger.answered_before(0.9) <= 901


def test_it_forgets_what_lies_far_back_and_then_says_too_few() -> None:
    ledger = Ledger()
    for serial in range(1_000):
        ledger.answer(serial, float(serial))
    assert ledger.answered_before(939.0) == 940
    assert ledger.answered_before(5.0) <= 6
