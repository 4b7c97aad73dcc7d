from typing import Any

from simulator import oracle, stream, times
from simulator.questions import AggregateQuestion, ProfileQuestion

START = times.parse("2022-03-22T12:15:00Z")
MINUTE = START // times.MINUTE


def _stored(profiles: oracle.Profiles, *entries: oracle.Entry, action: str = "VIEW") -> None:
    for entry in entries:
        profiles.doubt("c", action, entry)
        profiles.settle("c", action, entry, stored=True)


def _history(profiles: oracle.Profiles, since: int, until: int) -> oracle.History:
    return profiles.history(ProfileQuestion("c", since, until), "VIEW")


def test_a_history_is_newest_first_whatever_order_its_tags_came_in() -> None:
    profiles = oracle.Profiles()
    _stored(profiles, (5, 0), (9, 1), (7, 2))
    assert _history(profiles, 0, 10).sure == [(9, 1), (7, 2), (5, 0)]


def test_a_range_has_its_start_and_not_its_end() -> None:
    profiles = oracle.Profiles()
    _stored(profiles, (5, 0), (7, 1), (9, 2))
    history = _history(profiles, 5, 9)
    assert history.sure == [(7, 1), (5, 0)]
    assert (history.surely_newer, history.newer) == (1, 1)


def test_newer_tags_push_surely_only_where_they_must_be_visible() -> None:
    profiles = oracle.Profiles()
    _stored(profiles, (5, 0), (7, 1), (8, 2), (9, 3))
    profiles.doubt("c", "VIEW", (6, 4))
    history = profiles.history(ProfileQuestion("c", 0, 6, horizon=3, settled=9), "VIEW")
    assert (history.surely_newer, history.newer) == (2, 4)


def test_a_tag_under_way_is_doubtful_until_its_answer() -> None:
    profiles = oracle.Profiles()
    profiles.doubt("c", "VIEW", (5, 0))
    assert _history(profiles, 0, 10).doubtful == [(5, 0)]
    profiles.settle("c", "VIEW", (5, 0), stored=True)
    assert (_history(profiles, 0, 10).doubtful, _history(profiles, 0, 10).sure) == ([], [(5, 0)])


def test_a_refused_tag_never_was() -> None:
    profiles = oracle.Profiles()
    profiles.doubt("c", "VIEW", (5, 0))
    profiles.settle("c", "VIEW", (5, 0), stored=False)
    assert _history(profiles, 0, 10) == oracle.History([], [], 0, 0, True)
    assert profiles.cookies() == []


def test_actions_and_cookies_are_kept_apart() -> None:
    profiles = oracle.Profiles()
    _stored(profiles, (5, 0), action="BUY")
    assert _history(profiles, 0, 10).sure == []
    assert profiles.history(ProfileQuestion("d", 0, 10), "BUY").sure == []
    assert profiles.cookies() == ["c"]


def test_what_has_been_forgotten_is_not_claimed_to_be_known() -> None:
    profiles = oracle.Profiles()
    _stored(profiles, *((n, n) for n in range(2 * oracle.REMEMBERED + 1)))
    newest = 2 * oracle.REMEMBERED + 1
    assert len(_history(profiles, 0, newest).sure) == oracle.REMEMBERED
    assert _history(profiles, 0, newest).complete
    assert _history(profiles, 0, oracle.REMEMBERED + 10).complete
    moving = ProfileQuestion("c", 0, oracle.REMEMBERED + 10, settled=oracle.REMEMBERED + 10)
    assert not profiles.history(moving, "VIEW").complete


def _counted(aggregates: oracle.Aggregates, serial: int, minute: int, cell: oracle.Cell) -> None:
    aggregates.doubt(serial, minute, cell)
    aggregates.settle(serial, stored=True)


def _sums(aggregates: oracle.Aggregates, action: str = "VIEW", **filters: Any) -> list[oracle.MinuteSum]:
    return aggregates.sums(AggregateQuestion(MINUTE, MINUTE + 2, action, ("COUNT",), **filters))


def test_minutes_are_counted_and_summed_under_every_filter() -> None:
    aggregates = oracle.Aggregates(held_minutes=20)
    _counted(aggregates, 0, MINUTE, ("VIEW", "o", "b", "c", 5))
    _counted(aggregates, 1, MINUTE, ("VIEW", "o", "b2", "c", -7))
    _counted(aggregates, 2, MINUTE, ("BUY", "o", "b", "c", 100))
    nothing = oracle.MinuteSum(0, 0, [])
    assert _sums(aggregates) == [oracle.MinuteSum(2, -2, []), nothing]
    assert _sums(aggregates, "BUY") == [oracle.MinuteSum(1, 100, []), nothing]
    assert _sums(aggregates, brand="b") == [oracle.MinuteSum(1, 5, []), nothing]
    assert _sums(aggregates, origin="o", brand="b2", category="c") == [oracle.MinuteSum(1, -7, []), nothing]
    assert _sums(aggregates, origin="o", brand="b", category="c2") == [nothing, nothing]


def test_sums_exceed_32_bits() -> None:
    aggregates = oracle.Aggregates(held_minutes=20)
    for serial in range(3):
        _counted(aggregates, serial, MINUTE, ("VIEW", "o", "b", "c", 2**31 - 1))
    assert _sums(aggregates)[0].sum_price == 3 * (2**31 - 1)


def test_doubtful_tags_are_listed_with_their_prices_where_they_match() -> None:
    aggregates = oracle.Aggregates(held_minutes=20)
    aggregates.doubt(0, MINUTE + 1, ("VIEW", "o", "b", "c", 5))
    assert _sums(aggregates, origin="o")[1] == oracle.MinuteSum(0, 0, [5])
    assert _sums(aggregates, origin="o2")[1] == oracle.MinuteSum(0, 0, [])
    aggregates.settle(0, stored=False)
    assert _sums(aggregates, origin="o")[1] == oracle.MinuteSum(0, 0, [])


def test_old_minutes_keep_their_totals_alone() -> None:
    aggregates = oracle.Aggregates(held_minutes=12)
    for serial in range(30):
        _counted(aggregates, serial, MINUTE + serial, ("VIEW", "o", "b", "c", 1))
    assert aggregates.held() == list(range(MINUTE + 18, MINUTE + 30))
    assert _sums(aggregates)[0].count == 1


def test_the_oracle_remembers_profiles_of_watched_users_and_aggregates_of_all() -> None:
    source = stream.Stream(1, 7, START, 1_000, tie_every=10)
    knowledge = oracle.Oracle(source, 100, 20)
    for serial in range(2_000):
        knowledge.sent(serial)
        knowledge.stored(serial)
    watched = {source.tag(serial).cookie for serial in range(2_000) if source.is_watched(serial, 100)}
    assert set(knowledge.profiles.cookies()) == watched
    totals = [
        knowledge.aggregates.sums(AggregateQuestion(MINUTE, MINUTE + 1, action, ("COUNT",)))[0].count
        for action in ("VIEW", "BUY")
    ]
    assert sum(totals) == 2_000
