"""What the slow reading costs: a bad body must not be a way to keep the process busy."""

import json
import time

import pytest

from gateway import complaints, errors
from tests.support.tags import body


def test_many_names_given_more_than_once_cost_no_more_than_as_many_names() -> None:
    # Looked for one by one among all the others, these names took half a minute.
    members = ",".join(f'"{number}":0' for number in range(20_000))
    started = time.monotonic()

    found = complaints.about(f"{{{members},{members}}}".encode(), 0)

    assert time.monotonic() - started < 5
    assert {field.type for field in found} == {"missing"}


def test_a_name_given_twice_is_told_where_nothing_else_is_wrong() -> None:
    twice = body(price=1).replace(b'"price": 1', b'"price": 1, "price": 1')

    assert [field.loc[-1] for field in complaints.about(twice, 2**50)] == ["price"]


def test_deep_nesting_is_malformed() -> None:
    with pytest.raises(errors.Malformed):
        complaints.about(json.dumps("x").encode().join([b"[" * 10_000, b"]" * 10_000]), 0)
