"""`POST /aggregates`: the form of the answer, and what is in it."""

import itertools
import uuid
from typing import Any

import pytest

from runtime.settings import DatabaseSettings
from schemas import timestamps
from schemas.tags import AggregatesItem
from tests.support import aggregates
from tests.support.gateways import Gateway

FIRST = timestamps.parse_minute("2022-03-01T00:05:00")
RANGE = "2022-03-01T00:05:00_2022-03-01T00:08:00"


@pytest.fixture
def origin() -> str:
    return f"origin-{uuid.uuid4().hex[:8]}"


def _item(origin: str, minute: int = FIRST, action: str = "BUY", brand: str = "Nike") -> AggregatesItem:
    return AggregatesItem(minute, action, origin, brand, "shoes")


async def test_every_minute_has_a_row_with_zeros_where_nothing_happened(
    gateway: Gateway, shared_database: DatabaseSettings, origin: str
) -> None:
    await aggregates.store(shared_database, [(_item(origin, FIRST), 2, 700), (_item(origin, FIRST + 2), 1, -5)])

    answer = gateway.aggregates(
        {"time_range": RANGE, "action": "BUY", "origin": origin, "aggregates": ["COUNT", "SUM_PRICE"]}
    )

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {
        "columns": ["1m_bucket", "action", "origin", "count", "sum_price"],
        "rows": [
            ["2022-03-01T00:05:00", "BUY", origin, "2", "700"],
            ["2022-03-01T00:06:00", "BUY", origin, "0", "0"],
            ["2022-03-01T00:07:00", "BUY", origin, "1", "-5"],
        ],
    }


async def test_sums_beyond_64_bits_are_exact(gateway: Gateway, shared_database: DatabaseSettings, origin: str) -> None:
    minute = timestamps.parse_minute("2022-04-01T00:05:00")
    huge = [(_item(origin, minute, brand=brand), 1, 2**63 - 1) for brand in ("Nike", "Puma")]
    await aggregates.store(shared_database, huge)
    asked = {"time_range": "2022-04-01T00:05:00_2022-04-01T00:06:00", "action": "BUY", "aggregates": "SUM_PRICE"}

    for filters in ({}, {"origin": origin}):
        answer = gateway.aggregates({**asked, **filters})

        assert answer.json["rows"][0][-1] == str(2**64 - 2)


@pytest.mark.parametrize("chosen", [c for n in range(4) for c in itertools.combinations(range(3), n)])
@pytest.mark.parametrize("wanted", [["COUNT"], ["SUM_PRICE"], ["COUNT", "SUM_PRICE"], ["SUM_PRICE", "COUNT"]])
def test_columns_are_bucket_action_filters_in_their_fixed_order_and_aggregates_in_the_query_s(
    gateway: Gateway, chosen: tuple[int, ...], wanted: list[str]
) -> None:
    names = ["origin", "brand_id", "category_id"]
    filters = {names[index]: f"value {index}" for index in reversed(chosen)}

    answer = gateway.aggregates({"time_range": RANGE, "aggregates": wanted, **filters, "action": "VIEW"})

    assert answer.json["columns"] == [
        "1m_bucket",
        "action",
        *(names[index] for index in chosen),
        *(name.lower() for name in wanted),
    ]
    assert answer.json["rows"][0][:2] == ["2022-03-01T00:05:00", "VIEW"]
    assert answer.json["rows"][0][2 : 2 + len(chosen)] == [f"value {index}" for index in chosen]


@pytest.mark.parametrize(
    ("time_range", "rows"),
    [
        ("2022-03-01T00:05:00_2022-03-01T00:15:00", 10),
        ("2022-03-01T00:05:00_2022-03-01T00:06:00", 1),
        ("2022-03-01T00:05:00_2022-03-01T00:05:00", 0),
        ("2022-12-31T23:55:00_2023-01-01T00:05:00", 10),
        ("0001-01-01T00:00:00_0001-01-01T00:10:00", 10),
        ("9999-12-31T23:50:00_9999-12-31T23:59:00", 9),
    ],
)
def test_a_range_has_as_many_rows_as_minutes(gateway: Gateway, time_range: str, rows: int) -> None:
    answer = gateway.aggregates({"time_range": time_range, "action": "BUY", "aggregates": "COUNT"})

    assert answer.status == 200
    assert len(answer.json["rows"]) == rows


def test_with_debug_mode_off_a_body_and_unknown_parameters_are_ignored(gateway: Gateway) -> None:
    parameters: dict[str, Any] = {"time_range": RANGE, "action": "BUY", "aggregates": "COUNT"}

    assert gateway.aggregates({**parameters, "more": "x"}, b"{broken").json == gateway.aggregates(parameters).json
