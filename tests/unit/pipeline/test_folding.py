"""Records into sums, totals, moves and letters."""

from pipeline import folding
from pipeline.batches import Batch
from stores import flush
from tests.support.fakes.log import MINUTE, Record, value

ITEM = (MINUTE, "VIEW", "o", "brand", "category")
HOUR = MINUTE // 60


def record(offset: int, **fields: object) -> Record:
    return Record(offset, b"key", value(0, offset, **{"origin": "o", **fields}))


def test_equal_items_are_one_row_with_their_count_and_sum() -> None:
    fold = folding.Fold()
    fold.add(Batch(0, [record(0, price=2**31 - 1), record(1, price=2**31 - 1), record(2, price=-1)]))
    assert fold.as_flush().rows == [(ITEM, 3, 2**32 - 3)]


def test_each_partition_has_totals_and_a_move_of_its_own() -> None:
    fold = folding.Fold()
    fold.add(Batch(0, [record(0), record(1)]))
    fold.add(Batch(1, [record(7)]))
    fold.add(Batch(0, [record(2)]))
    made = fold.as_flush()
    assert made.moves == [flush.Move(0, 0, 3), flush.Move(1, 7, 8)]
    assert {(total.partition, total.count) for total in made.totals} == {(0, 3), (1, 1)}
    assert fold.records == 4


def test_a_move_begins_where_the_partition_was_even_behind_a_hole() -> None:
    fold = folding.Fold({0: 3})
    fold.add(Batch(0, [record(5)]))
    assert fold.moves == [flush.Move(0, 3, 6)]


def test_minutes_before_1970_round_down() -> None:
    fold = folding.Fold()
    fold.add(Batch(0, [record(0, time=-1)]))
    assert fold.as_flush().rows[0][0][0] == -1
    assert fold.hours == {-1}


def test_undecodable_and_missing_values_become_letters_whole_and_the_rest_is_counted() -> None:
    fold = folding.Fold()
    fold.add(Batch(0, [record(0), Record(1, b"k", b"\x00junk"), Record(2, None, None), record(3)]))
    made = fold.as_flush()
    assert made.rows[0][1] == 2
    assert [(each.offset, each.key, each.value, each.reason) for each in made.letters] == [
        (1, b"k", b"\x00junk", "undecodable"),
        (2, None, None, "undecodable"),
    ]
    assert made.moves == [flush.Move(0, 0, 4)]


def test_records_of_refused_hours_become_letters() -> None:
    fold = folding.Fold(refused_hours={HOUR: "hour_gone"})
    fold.add(Batch(0, [record(0), record(1, time=(HOUR + 1) * 3_600_000)]))
    made = fold.as_flush()
    assert [letter.reason for letter in made.letters] == ["hour_gone"]
    assert [item[0] for item, _, _ in made.rows] == [(HOUR + 1) * 60]


def test_a_fold_of_several_batches_moves_each_partition_on_from_its_start() -> None:
    parts = [Batch(0, [record(4)]), Batch(1, [record(2)]), Batch(0, [record(9)])]
    assert folding.fold(parts, {0: 3, 1: 2, 2: 0}).moves == [flush.Move(0, 3, 10), flush.Move(1, 2, 3)]


def test_a_refused_batch_is_all_letters_and_moves_its_partition() -> None:
    made = folding.refused(Batch(0, [record(4)]), {0: 3}, "why").as_flush()
    assert made.rows == []
    assert made.totals == []
    assert made.moves == [flush.Move(0, 3, 5)]
    assert [(letter.reason, letter.detail) for letter in made.letters] == [("refused_by_store", "why")]
