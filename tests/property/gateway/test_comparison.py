"""What counts as a difference between two answers, and what does not."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway import comparison
from tests.support.tags import tag

Profile = dict[str, Any]

_times = st.integers(0, 5).map(lambda number: f"2022-03-22T12:15:00.00{number}Z")
_tags = st.builds(tag, time=_times, cookie=st.just("secret-cookie"), price=st.integers(0, 3))
_newest_first = st.lists(_tags, max_size=8).map(lambda found: sorted(found, key=lambda one: one["time"], reverse=True))
_profiles = st.builds(
    lambda views, buys: {"cookie": "secret-cookie", "views": views, "buys": buys}, _newest_first, _newest_first
)
_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(_profiles, st.randoms())
def test_the_order_of_tags_of_one_millisecond_is_no_difference(profile: Profile, random: Any) -> None:
    expected = copy.deepcopy(profile)
    for name in ("views", "buys"):
        random.shuffle(expected[name])
        expected[name].sort(key=lambda one: one["time"], reverse=True)

    assert comparison.of_profiles(expected, profile) == []


@given(_profiles, st.data())
def test_a_missing_a_further_and_a_changed_tag_are_each_told(profile: Profile, data: st.DataObject) -> None:
    changed = copy.deepcopy(profile)
    tags = changed["views"]
    match data.draw(st.sampled_from(["missing", "further", "changed"])):
        case "further":
            tags.append(tag(time="2021-01-01T00:00:00.000Z"))
        case _ if not tags:
            return
        case "missing":
            tags.pop(data.draw(st.integers(0, len(tags) - 1)))
        case _:
            tags[data.draw(st.integers(0, len(tags) - 1))]["product_info"]["price"] = 99

    for difference in (comparison.of_profiles(changed, profile), comparison.of_profiles(profile, changed)):
        assert difference
        assert all(line.startswith("views: ") for line in difference)
        assert "secret-cookie" not in "\n".join(difference)


@given(_json, _profiles)
def test_whatever_is_expected_the_comparison_ends_in_words_within_bounds(expected: Any, profile: Profile) -> None:
    table = {"columns": ["1m_bucket", "action", "count"], "rows": [["2022-03-22T12:15:00", "VIEW", "1"]]}
    wrapped = [
        expected,
        {"cookie": expected, "views": expected, "buys": [expected]},
        {"columns": expected, "rows": [expected, expected]},
        {"rows": expected},
    ]
    for wanted in wrapped:
        for lines in (comparison.of_profiles(wanted, profile), comparison.of_aggregates(wanted, table)):
            assert len(lines) <= comparison.MAX_LINES + 1
            assert all(len(line) <= comparison.MAX_CHARACTERS + 1 for line in lines)


@given(_profiles)
def test_a_profile_does_not_differ_from_itself(profile: Profile) -> None:
    assert comparison.of_profiles(copy.deepcopy(profile), profile) == []
