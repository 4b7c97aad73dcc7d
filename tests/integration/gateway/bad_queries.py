"""Queries that are refused: each with its status, the parameter it names, and what the message says."""

from typing import NamedTuple


class Bad(NamedTuple):
    """One kind of bad query. `target` is the path with its query string as it goes over the wire."""

    kind: str
    target: str
    status: int
    field: str
    says: str


_RANGE = "2022-03-22T12:00:00.000_2022-03-22T13:00:00.000"
_MINUTES = "2022-03-22T12:00:00_2022-03-22T12:10:00"
_TAKES = "takes a string of 1 to 256 characters, at most 512 bytes of UTF-8, without U+0000"
_FORM = "is not a time of the form 2022-03-22T12:15:00"


def _profile(kind: str, field: str, says: str, *, cookie: str = "c", query: str) -> Bad:
    return Bad(f"profile: {kind}", f"/user_profiles/{cookie}?{query}", 422, field, says)


def _table(kind: str, field: str, says: str, query: str) -> Bad:
    return Bad(f"aggregates: {kind}", f"/aggregates?{query}", 422, field, says)


def _limit(kind: str, value: str) -> Bad:
    says = "it takes an integer from 1 to 200"
    return _profile(f"limit {kind}", "limit", says, query=f"time_range={_RANGE}&limit={value}")


def _range(kind: str, value: str, says: str) -> Bad:
    return _profile(kind, "time_range", says, query=f"time_range={value}")


def _minutes(kind: str, value: str, says: str) -> Bad:
    return _table(kind, "time_range", says, f"time_range={value}&action=BUY&aggregates=COUNT")


def _filtered(kind: str, field: str, says: str, query: str) -> Bad:
    return _table(kind, field, says, f"time_range={_MINUTES}&action=BUY&aggregates=COUNT&{query}")


PROFILES = [
    _profile("no time_range", "time_range", "time_range is missing: it takes <from>_<to>", query=""),
    _profile("two time_ranges", "time_range", "is given 2 times", query=f"time_range={_RANGE}&time_range={_RANGE}"),
    _range("an empty time_range", "", _FORM),
    _range("one time", "2022-03-22T12:00:00.000", "has not two times with _ between them"),
    _range("three times", f"{_RANGE}_2022-03-22T14:00:00.000", "has not two times with _ between them"),
    _range("another separator", _RANGE.replace("_", "/"), _FORM),
    _range("no beginning", "_2022-03-22T12:00:00.000", _FORM),
    _range("no end", "2022-03-22T12:00:00.000_", _FORM),
    _range("a Z", "2022-03-22T12:00:00.000Z_2022-03-22T13:00:00.000Z", _FORM),
    _range("a date alone", "2022-03-22_2022-03-23", _FORM),
    _range("an offset", "2022-03-22T12:00:00.000%2B01:00_2022-03-22T13:00:00.000", _FORM),
    _range("microseconds", "2022-03-22T12:00:00.000000_2022-03-22T13:00:00.000", _FORM),
    _range("no real date", "2022-02-30T12:00:00.000_2022-03-22T13:00:00.000", "is no real date"),
    _range("hour 24", "2022-03-22T24:00:00.000_2022-03-23T13:00:00.000", _FORM),
    _range("milliseconds since 1970", "1647950400000_1647954000000", _FORM),
    _range("reversed", "2022-03-22T13:00:00.000_2022-03-22T12:59:59.999", "time_range is reversed"),
    _limit("0", "0"),
    _limit("-1", "-1"),
    _limit("201", "201"),
    _limit("of 5,000 digits", "9" * 5000),
    _limit("1.0", "1.0"),
    _limit("1e2", "1e2"),
    _limit("a word", "all"),
    _limit("empty", ""),
    _limit("with a plus", "%2B5"),
    _limit("with a space", "+5"),
    _limit("with an underscore", "1_0"),
    _limit("in Arabic digits", "%D9%A1%D9%A0"),
    _profile("two limits", "limit", "is given 2 times", query=f"time_range={_RANGE}&limit=1&limit=2"),
    _profile("no cookie", "cookie", f"cookie is empty: it {_TAKES}", cookie="", query=f"time_range={_RANGE}"),
    _profile("a cookie with U+0000", "cookie", "contains U+0000", cookie="a%00b", query=f"time_range={_RANGE}"),
    _profile("257 characters", "cookie", "has 257 characters", cookie="x" * 257, query=f"time_range={_RANGE}"),
    _profile("513 bytes", "cookie", "has 513 bytes", cookie="%E6%97%A5" * 171, query=f"time_range={_RANGE}"),
]

AGGREGATES = [
    _table("nothing", "time_range", "time_range is missing: it takes <from>_<to>", ""),
    _table("no action", "action", "action is missing: it takes VIEW or BUY", f"time_range={_MINUTES}&aggregates=COUNT"),
    _table("an empty action", "action", "takes VIEW or BUY", f"time_range={_MINUTES}&aggregates=COUNT&action="),
    _table("a small action", "action", "takes VIEW or BUY", f"time_range={_MINUTES}&aggregates=COUNT&action=buy"),
    _table("another action", "action", "takes VIEW or BUY", f"time_range={_MINUTES}&aggregates=COUNT&action=CLICK"),
    _filtered("two actions", "action", "action is given 2 times", "action=VIEW"),
    _table(
        "no aggregates",
        "aggregates",
        "aggregates is missing: it takes COUNT or SUM_PRICE",
        f"time_range={_MINUTES}&action=BUY",
    ),
    _table("an empty one", "aggregates", "takes COUNT or SUM_PRICE", f"time_range={_MINUTES}&action=BUY&aggregates="),
    _table("a small one", "aggregates", "COUNT or SUM_PRICE", f"time_range={_MINUTES}&action=BUY&aggregates=count"),
    _table("another", "aggregates", "COUNT or SUM_PRICE", f"time_range={_MINUTES}&action=BUY&aggregates=AVG"),
    _table("with commas", "aggregates", "COUNT or SUM", f"time_range={_MINUTES}&action=BUY&aggregates=COUNT,SUM_PRICE"),
    _filtered("one unknown of two", "aggregates", "takes COUNT or SUM_PRICE", "aggregates=MAX"),
    _filtered("one twice", "aggregates", "each of them once", "aggregates=COUNT"),
    _minutes("one time", "2022-03-22T12:00:00", "has not two times with _ between them"),
    _minutes("an empty range", "", _FORM),
    _minutes("milliseconds", "2022-03-22T12:00:00.000_2022-03-22T12:10:00.000", _FORM),
    _minutes("a Z", "2022-03-22T12:00:00Z_2022-03-22T12:10:00Z", _FORM),
    _minutes("no seconds", "2022-03-22T12:00_2022-03-22T12:10", _FORM),
    _minutes("a beginning off the minute", "2022-03-22T12:00:01_2022-03-22T12:10:00", "not on a minute boundary"),
    _minutes("an end off the minute", "2022-03-22T12:00:00_2022-03-22T12:09:59", "not on a minute boundary"),
    _minutes("11 minutes", "2022-03-22T12:00:00_2022-03-22T12:11:00", "time_range is too long"),
    _minutes("a year", "2022-03-22T12:00:00_2023-03-22T12:00:00", "at most 10 minutes"),
    _minutes("a reversed range", "2022-03-22T12:10:00_2022-03-22T12:00:00", "time_range is reversed"),
    _minutes("no real date", "2022-02-30T12:00:00_2022-02-30T12:10:00", "is no real date"),
    _filtered("an empty origin", "origin", f"origin is empty: it {_TAKES}", "origin="),
    _filtered("an origin with U+0000", "origin", "contains U+0000", "origin=a%00"),
    _filtered("two origins", "origin", "origin is given 2 times", "origin=a&origin=b"),
    _filtered("an empty brand_id", "brand_id", "brand_id is empty", "brand_id="),
    _filtered("a long brand_id", "brand_id", "brand_id has 257 characters", f"brand_id={'x' * 257}"),
    _filtered("two brand_ids", "brand_id", "brand_id is given 2 times", "brand_id=a&brand_id=a"),
    _filtered("an empty category_id", "category_id", "category_id is empty", "category_id="),
    _filtered("a category_id of 513 bytes", "category_id", "has 513 bytes", f"category_id={'%E6%97%A5' * 171}"),
]

MALFORMED = [
    Bad(f"{kind} in the {place}", target, 400, "", says)
    for kind, text, says in (
        ("Latin-1", "caf%E9", "not percent-encoded UTF-8"),
        ("a surrogate", "%ED%A0%BD", "not percent-encoded UTF-8"),
        ("an overlong encoding", "%C0%AF", "not percent-encoded UTF-8"),
        ("a lone %", "100%", "no two hexadecimal digits follow"),
        ("half an escape", "a%2", "no two hexadecimal digits follow"),
        ("an escape that is none", "%zz", "no two hexadecimal digits follow"),
    )
    for place, target in (
        ("cookie", f"/user_profiles/{text}?time_range={_RANGE}"),
        ("profile query", f"/user_profiles/c?time_range={_RANGE}&x={text}"),
        ("aggregates query", f"/aggregates?time_range={_MINUTES}&action=BUY&aggregates=COUNT&origin={text}"),
    )
]

UNKNOWN = [
    Bad(f"profile: {kind}", f"{path}?time_range={_RANGE}", 404, "", "nothing of this name")
    for kind, path in (
        ("an escaped / before the cookie", "/user_profiles%2Fme"),
        ("an escaped / in small letters", "/user_profiles%2fme"),
        ("an escaped / before a cookie with a /", "/user_profiles%2Fme/too"),
    )
]

ALL = [*PROFILES, *AGGREGATES, *MALFORMED, *UNKNOWN]
