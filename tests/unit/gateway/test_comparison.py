"""The words that a difference is told in."""

from typing import Any

import pytest

from gateway import comparison
from tests.support.tags import tag

TABLE: dict[str, Any] = {
    "columns": ["1m_bucket", "action", "count"],
    "rows": [["2022-03-22T12:15:00", "VIEW", "1"], ["2022-03-22T12:16:00", "VIEW", "0"]],
}


def _profile(*views: Any) -> dict[str, Any]:
    return {"cookie": "cookie-1", "views": list(views), "buys": []}


def test_a_changed_field_is_told_with_both_values() -> None:
    assert comparison.of_profiles(_profile(tag(price=1)), _profile(tag(price=2))) == [
        'views: at "2022-03-22T12:15:00.000Z" price: expected 1, given 2'
    ]


def test_a_number_where_a_string_is_expected_is_a_difference() -> None:
    assert comparison.of_profiles(_profile(tag(product_id="17")), _profile(tag(product_id=17)))
    assert comparison.of_profiles(_profile(tag(product_id=1)), _profile(tag(product_id=True)))


def test_another_order_in_time_is_a_difference() -> None:
    early, late = tag(time="2022-03-22T12:15:00.000Z"), tag(time="2022-03-22T12:15:00.001Z")

    assert comparison.of_profiles(_profile(early, late), _profile(late, early)) == [
        "views: the same tags in another order"
    ]


def test_another_cookie_is_told_without_either_id() -> None:
    lines = comparison.of_profiles(_profile(tag(cookie="a")) | {"cookie": "a"}, _profile(tag(cookie="b")))

    assert lines == [
        "cookie: another one is expected",
        'views: at "2022-03-22T12:15:00.000Z" cookie: another one is expected',
    ]


def test_equal_tables_do_not_differ() -> None:
    assert comparison.of_aggregates({**TABLE}, TABLE) == []


def test_a_wrong_cell_is_told_with_its_row_and_column() -> None:
    expected = {**TABLE, "rows": [["2022-03-22T12:15:00", "VIEW", "2"], TABLE["rows"][1]]}

    assert comparison.of_aggregates(expected, TABLE) == ['row 2022-03-22T12:15:00: count: expected "2", given "1"']


def test_missing_rows_and_other_columns_are_told() -> None:
    expected = {"columns": ["1m_bucket", "count"], "rows": TABLE["rows"][:1]}

    assert comparison.of_aggregates(expected, TABLE) == [
        'columns: expected ["1m_bucket","count"], given ["1m_bucket","action","count"]',
        "rows: 1 expected, 2 given",
    ]


def test_an_answer_of_another_shape_is_told() -> None:
    assert comparison.of_profiles([], _profile()) == ["expected: no object"]
    assert comparison.of_aggregates({"rows": []}, TABLE) == [
        "columns: given, not expected",
        "rows: 0 expected, 2 given",
    ]


COOKIE = "cookie-17"


@pytest.mark.parametrize(
    "expected",
    [
        COOKIE,
        {COOKIE: 1},
        {"views": [COOKIE]},
        {"views": COOKIE},
        {"views": {COOKIE: 1}},
        {"views": [[COOKIE]]},
        {"views": [{COOKIE: 1}]},
        {"views": [{"tag": {"cookie": COOKIE}}]},
        {"views": [{"time": COOKIE}]},
        {"views": [{"time": [COOKIE]}]},
        {"views": [tag() | {COOKIE: 1}]},
        {"views": [tag() | {"origin": {"cookie": COOKIE}}]},
        {"views": [tag() | {"origin": [COOKIE]}]},
        {"views": [tag() | {"product_info": COOKIE}]},
        {"views": [tag() | {"product_info": {"cookie": COOKIE}}]},
        {"views": [tag() | {"product_info": {"brand_id": {COOKIE: 1}}}]},
        {"columns": COOKIE},
        {"columns": [COOKIE]},
        {"columns": [{"x": COOKIE}]},
        {"rows": [COOKIE]},
        {"rows": [[COOKIE]]},
        {"rows": [[COOKIE, COOKIE, COOKIE]]},
        {"rows": [[{"cookie": COOKIE}, [COOKIE], {COOKIE: 1}]]},
    ],
)
def test_wherever_a_cookie_is_in_a_malformed_expectation_it_is_not_in_the_words(expected: Any) -> None:
    for given in (_profile(), _profile(tag(cookie="other"))):
        lines = comparison.of_profiles(expected, given)
        assert lines
        assert COOKIE not in "\n".join(lines)
    lines = comparison.of_aggregates(expected, TABLE)
    assert lines
    assert COOKIE not in "\n".join(lines)


def test_what_is_no_tag_is_told_by_its_shape() -> None:
    assert comparison.of_profiles(_profile([1, 2]), _profile()) == [
        "views: 1 expected, 0 given",
        "views: missing a list of 2 values",
    ]
