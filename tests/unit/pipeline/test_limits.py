"""docs/design.md 1: many failures in a row stop the worker instead of emptying the topic into the table."""

import pytest

from pipeline import errors
from pipeline.letters import Letter
from pipeline.limits import DeadLetterLimit


def letters(*offsets: int, partition: int = 0, reason: str = "undecodable") -> list[Letter]:
    return [Letter(partition, offset, None, None, reason, "why") for offset in offsets]


def late(*offsets: int) -> list[Letter]:
    return letters(*offsets, reason="hour_gone")


def write(limit: DeadLetterLimit, found: list[Letter]) -> None:
    limit.check(found)
    limit.note(found)


def test_as_many_in_a_row_as_allowed_pass_and_one_more_does_not() -> None:
    limit = DeadLetterLimit(3)
    write(limit, letters(1, 2, 3))
    with pytest.raises(errors.TooManyDeadLetters, match="offset 4: undecodable: why"):
        limit.check(letters(4))


def test_a_good_record_between_begins_anew() -> None:
    limit = DeadLetterLimit(2)
    limit.check(letters(1, 2, 4, 5, 7, 8))


def test_each_partition_has_a_row_of_its_own() -> None:
    limit = DeadLetterLimit(2)
    limit.check(letters(1, 2) + letters(3, 4, partition=1))


def test_the_same_write_tried_again_counts_once() -> None:
    limit = DeadLetterLimit(3)
    for _ in range(5):
        limit.check(letters(1, 2, 3))
    write(limit, letters(1, 2, 3))
    write(limit, letters(1, 2, 3))


def test_none_at_all_may_be_asked_for() -> None:
    with pytest.raises(errors.TooManyDeadLetters):
        DeadLetterLimit(0).check(letters(1))


def test_events_of_hours_that_take_no_more_do_not_count() -> None:
    limit = DeadLetterLimit(0)
    write(limit, late(1, 2, 3))
    write(limit, late(4, 5, 6))


def test_events_of_hours_that_take_no_more_do_not_part_others() -> None:
    limit = DeadLetterLimit(2)
    write(limit, letters(1) + late(2, 3))
    write(limit, late(4) + letters(5))
    with pytest.raises(errors.TooManyDeadLetters, match=r"3 records in a row .* offset 7"):
        limit.check(late(6) + letters(7))


def test_what_a_write_finds_when_it_is_tried_again_counts_as_well() -> None:
    limit = DeadLetterLimit(2)
    limit.check(letters(1, 3))
    with pytest.raises(errors.TooManyDeadLetters):
        limit.check(letters(1, 2, 3))


def test_a_row_goes_on_from_what_is_stored() -> None:
    limit = DeadLetterLimit(2)
    limit.resume({0: 7}, {0: 2})
    limit.check(late(7))
    with pytest.raises(errors.TooManyDeadLetters):
        limit.check(letters(7))
