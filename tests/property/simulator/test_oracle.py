"""The oracle against a second formulation that has nothing in common with it: filter everything, every time."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from simulator import judge, oracle, stream, times, wire
from simulator.questions import AggregateQuestion, ProfileQuestion

COOKIES = st.sampled_from(["a", "b"])
ACTIONS = st.sampled_from(["VIEW", "BUY"])
TIMES = st.integers(0, 40)
VALUES = st.sampled_from(["x", "y"])


class Event(msgspec.Struct, frozen=True):
    """A tag as it was sent, and what was answered: True stored, False refused, None unknown."""

    serial: int
    time: int
    cookie: str
    action: str
    origin: str
    brand: str
    category: str
    price: int
    stored: bool | None

    @property
    def tag(self) -> stream.Tag:
        product = stream.ProductInfo(self.serial, self.brand, self.category, self.price)
        time = times.millis_text(self.time) + "Z"
        return stream.Tag(time, self.cookie, "PL", "PC", self.action, self.origin, product)


def _event(serial: int, fields: tuple[int, str, str, str, str, str, int, bool | None]) -> Event:
    return Event(serial, *fields)


def _events(outcomes: st.SearchStrategy[bool | None]) -> st.SearchStrategy[list[Event]]:
    fields = st.tuples(TIMES, COOKIES, ACTIONS, VALUES, VALUES, VALUES, st.integers(-(2**31), 2**31 - 1), outcomes)
    return st.lists(fields, max_size=60).map(lambda rows: [_event(serial, row) for serial, row in enumerate(rows)])


@st.composite
def _busy(draw: st.DrawFn) -> list[Event]:
    """Around as many tags of one user and action as are kept, and up to twice that."""
    chance = draw(st.randoms(use_true_random=False))
    count = draw(st.integers(190, 420))
    return [
        Event(n, chance.randrange(40), "a", "VIEW", "x", "x", "x", n, stored=chance.random() < 0.9)
        for n in range(count)
    ]


def _profiles(events: list[Event]) -> oracle.Profiles:
    profiles = oracle.Profiles()
    for event in events:
        profiles.doubt(event.cookie, event.action, (event.time, event.serial))
    for event in reversed(events):
        if event.stored is not None:
            profiles.settle(event.cookie, event.action, (event.time, event.serial), stored=event.stored)
    return profiles


def _naive_list(events: list[Event], question: ProfileQuestion, action: str) -> list[stream.Tag]:
    """The newest 200, then the range, then the limit; of one millisecond the later serial number first."""
    own = [event for event in events if event.cookie == question.cookie and event.action == action and event.stored]
    ranked = sorted(own, key=lambda event: (-event.time, -event.serial))
    kept = [event for place, event in enumerate(ranked) if place < 200]
    found = [event.tag for event in kept if question.since <= event.time and event.time < question.until]
    return found[: 200 if question.limit is None else question.limit]


PROFILE_QUESTIONS = st.builds(
    ProfileQuestion,
    cookie=COOKIES,
    since=TIMES,
    until=st.integers(0, 41),
    limit=st.none() | st.integers(1, 200),
)


@given(_events(st.booleans()) | _busy(), PROFILE_QUESTIONS)
def test_profiles_agree_with_filtering_everything(events: list[Event], question: ProfileQuestion) -> None:
    expected = judge.ProfileExpectation(question, _profiles(events), lambda serial: events[serial].tag)
    naive = wire.ProfileAnswer(
        question.cookie, _naive_list(events, question, "VIEW"), _naive_list(events, question, "BUY")
    )
    assert expected.answer in (naive, None)
    assert expected.difference(msgspec.json.encode(naive)) is None


@given(_events(st.booleans()) | _busy(), PROFILE_QUESTIONS, st.data())
def test_a_profile_with_one_tag_more_or_less_is_wrong(
    events: list[Event], question: ProfileQuestion, data: st.DataObject
) -> None:
    expected = judge.ProfileExpectation(question, _profiles(events), lambda serial: events[serial].tag)
    views, buys = (_naive_list(events, question, action) for action in ("VIEW", "BUY"))
    if views:
        place = data.draw(st.integers(0, len(views) - 1))
        less = wire.ProfileAnswer(question.cookie, views[:place] + views[place + 1 :], buys)
        more = wire.ProfileAnswer(question.cookie, views[: place + 1] + views[place:], buys)
        assert expected.difference(msgspec.json.encode(less)) is not None
        assert expected.difference(msgspec.json.encode(more)) is not None


@given(_events(st.none() | st.booleans()), PROFILE_QUESTIONS, st.data())
def test_whatever_became_of_unknown_tags_explains_the_profile(
    events: list[Event], question: ProfileQuestion, data: st.DataObject
) -> None:
    expected = judge.ProfileExpectation(question, _profiles(events), lambda serial: events[serial].tag)
    real = [
        msgspec.structs.replace(event, stored=data.draw(st.booleans()) if event.stored is None else event.stored)
        for event in events
    ]
    answer = wire.ProfileAnswer(
        question.cookie, _naive_list(real, question, "VIEW"), _naive_list(real, question, "BUY")
    )
    assert expected.difference(msgspec.json.encode(answer)) is None


def _aggregates(events: list[Event]) -> oracle.Aggregates:
    aggregates = oracle.Aggregates(held_minutes=100)
    for event in events:
        cell = (event.action, event.origin, event.brand, event.category, event.price)
        aggregates.doubt(event.serial, event.time, cell)
    for event in reversed(events):
        if event.stored is not None:
            aggregates.settle(event.serial, stored=event.stored)
    return aggregates


AGGREGATE_QUESTIONS = st.builds(
    AggregateQuestion,
    first=st.integers(0, 35),
    end=st.integers(36, 45),
    action=ACTIONS,
    columns=st.just(("COUNT", "SUM_PRICE")),
    origin=st.none() | VALUES,
    brand=st.none() | VALUES,
    category=st.none() | VALUES,
)


def _naive_rows(events: list[Event], question: AggregateQuestion) -> list[list[str]]:
    """Event times stand for minutes here."""
    wanted = {"origin": question.origin, "brand": question.brand, "category": question.category}
    given_filters = {name: value for name, value in wanted.items() if value is not None}
    rows = []
    for minute in range(question.first, question.end):
        prices = [
            event.price
            for event in events
            if event.stored
            and event.time == minute
            and event.action == question.action
            and all(getattr(event, name) == value for name, value in given_filters.items())
        ]
        figures = [str(len(prices)), str(sum(prices))]
        rows.append([f"1970-01-01T00:{minute:02d}:00", question.action, *given_filters.values(), *figures])
    return rows


@given(_events(st.booleans()), AGGREGATE_QUESTIONS)
def test_aggregates_agree_with_filtering_everything(events: list[Event], question: AggregateQuestion) -> None:
    answer = judge.AggregateExpectation(question, _aggregates(events)).answer
    assert answer is not None
    assert answer.rows == _naive_rows(events, question)


@given(_events(st.none() | st.booleans()), AGGREGATE_QUESTIONS, st.data())
def test_whatever_became_of_unknown_tags_explains_the_aggregates(
    events: list[Event], question: AggregateQuestion, data: st.DataObject
) -> None:
    expected = judge.AggregateExpectation(question, _aggregates(events))
    stored = data.draw(st.booleans())
    real = [msgspec.structs.replace(event, stored=stored if event.stored is None else event.stored) for event in events]
    names = ("origin", "brand", "category")
    filters = [
        column
        for name, column in zip(names, ("origin", "brand_id", "category_id"), strict=True)
        if getattr(question, name) is not None
    ]
    answer = wire.AggregateAnswer(["1m_bucket", "action", *filters, "count", "sum_price"], _naive_rows(real, question))
    assert expected.difference(msgspec.json.encode(answer)) is None
