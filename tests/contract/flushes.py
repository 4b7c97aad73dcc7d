"""What every `Flushes` must do: a mixin, inherited by the real one and by the fake (test_flushes.py)."""

import random
import string
import uuid
from typing import Protocol

import pytest

from stores import dead_letters, errors, flush, offsets
from stores.copying import Item

MINUTE = 27_465_855
HOUR = MINUTE // 60
CONSUMER = offsets.Consumer("aggregates", "user-tags", uuid.UUID(int=7))


class Store(Protocol):
    """The store under test, as a second pair of eyes sees it. It has a table for `HOUR` and for no other."""

    def flushes(self, consumer: offsets.Consumer = CONSUMER) -> flush.Flushes:
        """A worker's own."""

    async def sums(self) -> dict[Item, tuple[int, int]]:
        """`{item: (count, sum)}`."""

    async def totals(self) -> dict[tuple[int, str, int], tuple[int, int]]:
        """`{(minute, action, partition): (count, sum)}`."""

    async def letters(self) -> dict[tuple[int, int], dead_letters.Letter]:
        """`{(partition, offset): letter}`."""


def item(origin: str = "origin", minute: int = MINUTE) -> Item:
    return (minute, "VIEW", origin, "brand", "category")


def content(*moves: tuple[int, int, int], origin: str = "origin", minute: int = MINUTE) -> flush.Flush:
    """A write of one row that moves partitions from start to end, as it would come from them."""
    [(partition, *_), *_] = moves
    return flush.Flush(
        [(item(origin, minute), 2, -5)],
        [flush.MinuteTotal(minute, "VIEW", partition, 2, -5)],
        [flush.Move(*move) for move in moves],
        [],
    )


def letters_in_no_order(size: int) -> str:
    """A text that packs badly."""
    return "".join(random.Random(7).choices(string.ascii_letters, k=size))  # noqa: S311


class FlushesContract:
    """Inherit it and give a fixture `store`."""

    async def test_a_new_partition_goes_on_where_it_is_said_to_begin(self, store: Store) -> None:
        assert await store.flushes().open({0: 10, 3: 0}) == {0: 10, 3: 0}

    async def test_a_known_partition_goes_on_at_its_stored_offset(self, store: Store) -> None:
        one = store.flushes()
        await one.open({0: 10})
        await one.write(content((0, 10, 15)))
        assert await store.flushes().open({0: 99, 1: 5}) == {0: 15, 1: 5}

    async def test_a_write_adds_rows_totals_and_offsets_together(self, store: Store) -> None:
        one = store.flushes()
        await one.open({0: 0})
        await one.write(content((0, 0, 2)))
        await one.write(content((0, 2, 4)))
        assert await store.sums() == {item(): (4, -10)}
        assert await store.totals() == {(MINUTE, "VIEW", 0): (4, -10)}
        assert await one.settled([0]) == {0: 4}

    async def test_a_write_from_another_offset_than_the_stored_one_changes_nothing(self, store: Store) -> None:
        """2.2: compare-and-set, for every partition of the write."""
        one = store.flushes()
        await one.open({0: 0, 1: 0})
        with pytest.raises(errors.OffsetMoved):
            await one.write(content((0, 0, 2), (1, 7, 9)))
        assert await store.sums() == {}
        assert await store.totals() == {}
        assert await one.settled([0, 1]) == {0: 0, 1: 0}

    async def test_of_two_workers_with_one_start_only_the_first_counts(self, store: Store) -> None:
        """2.2: compare-and-set against a second writer."""
        one, other = store.flushes(), store.flushes()
        await one.open({0: 0})
        await other.open({0: 0})
        await one.write(content((0, 0, 2)))
        with pytest.raises(errors.OffsetMoved):
            await other.write(content((0, 0, 3)))
        assert await store.sums() == {item(): (2, -5)}
        assert await other.settled([0]) == {0: 2}

    async def test_a_partition_that_was_never_opened_cannot_be_moved(self, store: Store) -> None:
        one = store.flushes()
        with pytest.raises(errors.OffsetMoved):
            await one.write(content((5, 0, 1)))
        assert await store.sums() == {}

    async def test_after_any_refusal_the_next_write_goes_through(self, store: Store) -> None:
        one = store.flushes()
        await one.open({0: 0})
        for bad in (content((0, 8, 9)), content((0, 0, 2), origin="\0"), content((0, 0, 2), minute=MINUTE + 600)):
            with pytest.raises(errors.FlushError):
                await one.write(bad)
        await one.write(content((0, 0, 2)))
        assert await store.sums() == {item(): (2, -5)}

    @pytest.mark.parametrize("bad", [content((0, 0, 2), origin="a\0b"), content((0, 0, 2), minute=-(10**10))])
    async def test_a_value_that_the_store_cannot_hold_is_bad_data(self, store: Store, bad: flush.Flush) -> None:
        one = store.flushes()
        await one.open({0: 0})
        with pytest.raises(errors.BadData):
            await one.write(bad)
        assert await one.settled([0]) == {0: 0}

    @pytest.mark.parametrize("size", [4_000, 10_000])
    async def test_a_text_too_long_for_an_index_is_bad_data(self, store: Store, size: int) -> None:
        """54000, in two places of the server's. Gateways let none in; whoever else writes to the topic may."""
        one = store.flushes()
        await one.open({0: 0})
        with pytest.raises(errors.BadData):
            await one.write(content((0, 0, 2), origin=letters_in_no_order(size)))
        assert await one.settled([0]) == {0: 0}
        await one.write(content((0, 0, 2)))
        assert await store.sums() == {item(): (2, -5)}

    async def test_a_long_text_that_an_index_can_pack_is_taken(self, store: Store) -> None:
        one = store.flushes()
        await one.open({0: 0})
        await one.write(content((0, 0, 2), origin="a" * 4_000))
        assert await store.sums() == {item("a" * 4_000): (2, -5)}

    async def test_a_value_that_cannot_even_be_sent_is_bad_data(self, store: Store) -> None:
        """The client refuses it in the last message of the write: taken for a lost commit, it was tried for ever."""
        one = store.flushes()
        await one.open({0: 0})
        unspeakable = dead_letters.Letter(0, 0, None, None, "undecodable", "a\0b")
        with pytest.raises(errors.BadData):
            await one.write(flush.Flush([(item(), 2, -5)], [], [flush.Move(0, 0, 2)], [unspeakable]))
        assert await one.settled([0]) == {0: 0}
        await one.write(content((0, 0, 2)))
        assert await store.sums() == {item(): (2, -5)}

    async def test_a_minute_beyond_64_bits_is_bad_data(self, store: Store) -> None:
        one = store.flushes()
        await one.open({0: 0})
        with pytest.raises(errors.BadData):
            await one.write(content((0, 0, 2), minute=(2**63 - 1) // 60_000))
        await one.write(content((0, 0, 2)))

    async def test_an_hour_without_a_table_is_named_as_such(self, store: Store) -> None:
        one = store.flushes()
        await one.open({0: 0})
        with pytest.raises(errors.HourMissing):
            await one.write(content((0, 0, 2), minute=(HOUR + 1) * 60))
        assert await one.settled([0]) == {0: 0}

    async def test_dead_letters_are_kept_whole_with_the_offset_that_steps_over_them(self, store: Store) -> None:
        one = store.flushes()
        await one.open({0: 0})
        letters = [
            dead_letters.Letter(0, 0, b"key", b"\xff\0", "undecodable", "no such header"),
            dead_letters.Letter(0, 1, None, None, "undecodable", "empty"),
        ]
        await one.write(flush.Flush([], [], [flush.Move(0, 0, 2)], letters))
        assert await store.letters() == {(letter.partition, letter.offset): letter for letter in letters}
        assert await one.settled([0]) == {0: 2}

    async def test_offsets_on_a_topic_of_another_id_are_refused_by_name(self, store: Store) -> None:
        """2: a topic deleted and made anew."""
        await store.flushes().open({0: 0})
        anew = offsets.Consumer(CONSUMER.group, CONSUMER.topic, uuid.UUID(int=8))
        with pytest.raises(errors.TopicReplaced, match="deleted and made anew"):
            await store.flushes(anew).open({0: 0})

    async def test_another_group_has_offsets_of_its_own(self, store: Store) -> None:
        await store.flushes().open({0: 4})
        other = offsets.Consumer("others", CONSUMER.topic, CONSUMER.topic_id)
        assert await store.flushes(other).open({0: 0}) == {0: 0}

    async def test_settled_names_only_partitions_that_are_known(self, store: Store) -> None:
        one = store.flushes()
        await one.open({0: 1})
        assert await one.settled([0, 1]) == {0: 1}

    async def test_letters_right_below_an_offset_are_counted_up_to_the_first_record_that_is_none(
        self, store: Store
    ) -> None:
        one = store.flushes()
        await one.open({0: 0, 1: 0})
        kept = [dead_letters.Letter(0, offset, None, b"", "undecodable", "why") for offset in (1, 3, 4, 5)]
        await one.write(flush.Flush([], [], [flush.Move(0, 0, 6)], kept))
        assert await one.letter_runs({0: 6, 1: 0}, 10) == {0: 3, 1: 0}
        assert await one.letter_runs({0: 6}, 2) == {0: 2}
        assert await one.letter_runs({0: 3}, 10) == {0: 0}

    async def test_letters_that_do_not_count_neither_add_to_a_run_nor_end_it(self, store: Store) -> None:
        one = store.flushes()
        await one.open({0: 0, 1: 0})
        reasons = {0: "undecodable", 2: "undecodable", 3: "late", 4: "undecodable", 5: "late", 6: "late"}
        kept = [dead_letters.Letter(0, offset, None, b"", reason, "why") for offset, reason in reasons.items()]
        await one.write(flush.Flush([], [], [flush.Move(0, 0, 7)], kept))
        assert await one.letter_runs({0: 7, 1: 0}, 10, ["late"]) == {0: 2, 1: 0}
        assert await one.letter_runs({0: 7}, 1, ["late"]) == {0: 1}
        assert await one.letter_runs({0: 7}, 10) == {0: 5}
