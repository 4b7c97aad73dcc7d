"""`POST /user_profiles/{cookie}`: the form of the answer, and what is in it."""

import uuid
from typing import Any

import pytest

from gateway import user_tag_body
from runtime.settings import DatabaseSettings
from schemas.tags import UserTag
from tests.support import profiles
from tests.support.gateways import Gateway
from tests.support.tags import body, tag


@pytest.fixture
def cookie() -> str:
    return f"cookie-{uuid.uuid4().hex}"


def _read(posted: dict[str, Any]) -> UserTag:
    """What the worker gets of a tag that was posted."""
    product = posted["product_info"]
    plain = {name: value for name, value in posted.items() if name != "product_info"}
    return user_tag_body.parse(body(**plain, **product), now_ms=2**50)


def _second(number: int) -> str:
    return f"2022-03-22T12:{number // 60:02d}:{number % 60:02d}.000Z"


def test_an_unknown_cookie_has_empty_lists(gateway: Gateway, cookie: str) -> None:
    answer = gateway.profile(cookie)

    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json == {"cookie": cookie, "views": [], "buys": []}


async def test_tags_come_back_as_they_were_posted_newest_first_each_action_in_its_list(
    gateway: Gateway, shared_database: DatabaseSettings, cookie: str
) -> None:
    views = [tag(cookie=cookie, time=_second(number), product_id=number) for number in range(3)]
    buys = [tag(cookie=cookie, time=_second(number), action="BUY", product_id=str(number)) for number in range(2)]
    await profiles.store(shared_database, [_read(each) for each in (*views, *buys)])

    assert gateway.profile(cookie).json == {"cookie": cookie, "views": views[::-1], "buys": buys[::-1]}


async def test_the_beginning_of_the_range_is_in_it_and_its_end_is_not(
    gateway: Gateway, shared_database: DatabaseSettings, cookie: str
) -> None:
    tags = [tag(cookie=cookie, time=f"2022-03-22T12:15:00.{number:03d}Z") for number in range(4)]
    await profiles.store(shared_database, [_read(each) for each in tags])

    exact = gateway.profile(cookie, time_range="2022-03-22T12:15:00.001_2022-03-22T12:15:00.003").json
    short = gateway.profile(cookie, time_range="2022-03-22T12:15:00_2022-03-22T12:15:00.001").json
    empty = gateway.profile(cookie, time_range="2022-03-22T12:15:00.001_2022-03-22T12:15:00.001").json

    assert exact["views"] == [tags[2], tags[1]]
    assert short["views"] == [tags[0]]
    assert empty["views"] == []


async def test_the_limit_counts_within_the_range_and_for_each_action(
    gateway: Gateway, shared_database: DatabaseSettings, cookie: str
) -> None:
    views = [tag(cookie=cookie, time=_second(number)) for number in range(200)]
    buys = [tag(cookie=cookie, time=_second(number), action="BUY") for number in range(3)]
    await profiles.store(shared_database, [_read(each) for each in (*views, *buys)])

    narrow = gateway.profile(cookie, time_range="2022-03-22T12:00:00_2022-03-22T12:00:10", limit=2).json

    assert narrow["views"] == [views[9], views[8]]
    assert narrow["buys"] == [buys[2], buys[1]]
    assert len(gateway.profile(cookie).json["views"]) == 200
    assert len(gateway.profile(cookie, limit="200").json["views"]) == 200


def test_with_debug_mode_off_a_body_and_unknown_parameters_are_ignored(gateway: Gateway, cookie: str) -> None:
    answer = gateway.profile(cookie, b"{broken", more="x")

    assert answer.json == {"cookie": cookie, "views": [], "buys": []}


@pytest.mark.parametrize(
    ("path", "cookie"),
    [
        ("a/b", "a/b"),
        ("a%2Fb", "a/b"),
        ("/", "/"),
        ("a/", "a/"),
        ("%252F", "%2F"),
        ("a+b", "a+b"),
        ("a%20b", "a b"),
        ("%0A", "\n"),
        ("..%2F..", "../.."),
        ("%F0%9F%98%80", "😀"),
        ("a;b=c,d", "a;b=c,d"),
    ],
)
def test_a_path_names_its_cookie_by_one_percent_decoding(gateway: Gateway, path: str, cookie: str) -> None:
    answer = gateway.post(f"/user_profiles/{path}?time_range=2022-03-22T12:00:00_2022-03-22T13:00:00")

    assert (answer.status, answer.json["cookie"]) == (200, cookie)
