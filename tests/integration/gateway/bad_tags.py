"""Bodies that `POST /user_tags` refuses: each with its status, the field it names, and what the message says."""

import json
from typing import NamedTuple

from tests.support.tags import body, tag, without


class Bad(NamedTuple):
    """One kind of bad body. `field` is the last of `loc`, empty where the answer is no 422."""

    kind: str
    body: bytes
    status: int
    field: str
    says: str


def _invalid(kind: str, body: bytes, field: str, says: str) -> Bad:
    return Bad(kind, body, 422, field, says)


def _raw(data: object) -> bytes:
    return json.dumps(data).encode()


def _with(text: bytes, instead_of: bytes) -> bytes:
    good = body()
    assert instead_of in good
    return good.replace(instead_of, text)


_TEXTS = ("cookie", "country", "origin", "brand_id", "category_id")
_TAKES = "takes a string of 1 to 256 characters, at most 512 bytes of UTF-8, without U+0000"
_INT32 = "takes an int32, a number from -2147483648 to 2147483647 without fraction or exponent"
_TIME = "is not a time of the form 2022-03-22T12:15:00.000Z"
_PRICE = b'"price": 100'
_PRODUCT_ID = b'"product_id": "product-1"'


NOT_JSON = [
    Bad("nothing at all", b"", 400, "", "not JSON"),
    Bad("white space", b" \n\t ", 400, "", "not JSON"),
    Bad("a form", b"time=now&cookie=x", 400, "", "not JSON"),
    Bad("half an object", body()[:-1], 400, "", "not JSON"),
    Bad("half a string", body()[:20], 400, "", "not JSON"),
    Bad("two objects", body() + body(), 400, "", "not JSON"),
    Bad("a comma too many", body()[:-1] + b",}", 400, "", "not JSON"),
    Bad("single quotes", body().replace(b'"', b"'"), 400, "", "not JSON"),
    Bad("a comment", body()[:-1] + b"/* x */}", 400, "", "not JSON"),
    Bad("a price of NaN", _with(b'"price": NaN', _PRICE), 400, "", "not JSON"),
    Bad("a price of Infinity", _with(b'"price": Infinity', _PRICE), 400, "", "not JSON"),
    Bad("a price with a plus", _with(b'"price": +1', _PRICE), 400, "", "not JSON"),
    Bad("a price with a leading zero", _with(b'"price": 010', _PRICE), 400, "", "not JSON"),
    Bad("a price in hexadecimal", _with(b'"price": 0x10', _PRICE), 400, "", "not JSON"),
    Bad("a control character in a string", body().replace(b"cookie-1", b"cookie\x01"), 400, "", "not JSON"),
    Bad("a line end in a string", body().replace(b"cookie-1", b"cookie\n"), 400, "", "not JSON"),
    Bad("an unknown escape", body().replace(b"cookie-1", b"cookie\\x41"), 400, "", "not JSON"),
    Bad("half a surrogate pair", body().replace(b"cookie-1", b"\\ud83d"), 400, "", "not JSON"),
    Bad("surrogates in the wrong order", body().replace(b"cookie-1", b"\\ude00\\ud83d"), 400, "", "not JSON"),
    Bad("a byte order mark", b"\xef\xbb\xbf" + body(), 400, "", "not JSON"),
    Bad("Latin-1", body().replace(b"cookie-1", b"caf\xe9"), 400, "", "not UTF-8"),
    Bad("Latin-1 in a field that is ignored", body()[:-1] + b', "x": "\xe9"}', 400, "", "not UTF-8"),
    Bad("a surrogate in UTF-8", body().replace(b"cookie-1", b"\xed\xa0\xbd"), 400, "", "not UTF-8"),
    Bad("an overlong encoding", body().replace(b"cookie-1", b"\xc0\xaf"), 400, "", "not UTF-8"),
    Bad("UTF-16", body().decode().encode("utf-16"), 400, "", "not UTF-8"),
    Bad("UTF-32 without a mark", body().decode().encode("utf-32-le"), 400, "", "not JSON"),
    Bad("gzip", b"\x1f\x8b\x08\x00" + bytes(20), 400, "", "not UTF-8"),
    Bad("brackets 20,000 deep", body()[:-1] + b', "x": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400, "", "deeply"),
]

NO_OBJECT = [
    _invalid("null", b"null", "body", "body is null: it takes an object"),
    _invalid("true", b"true", "body", "body is a boolean: it takes an object"),
    _invalid("a number", b"17", "body", "body is a number: it takes an object"),
    _invalid("a string", b'"tag"', "body", "body is 'tag': it takes an object"),
    _invalid("a batch", _raw([tag(), tag()]), "body", "body is an array: it takes an object"),
    _invalid("an empty object", b"{}", "time", "time is missing: it takes a time of the form"),
]

MISSING = [
    _invalid(f"no {name}", _raw(without(name)), name, f"{name} is missing: it takes ")
    for name in ("time", "device", "action", "product_info", "product_id", "price", *_TEXTS)
]

BAD_TEXTS = [
    bad
    for name in _TEXTS
    for bad in (
        _invalid(f"{name} empty", body(**{name: ""}), name, f"{name} is empty: it {_TAKES}"),
        _invalid(f"{name} null", body(**{name: None}), name, f"{name} is null: it {_TAKES}"),
        _invalid(f"{name} a number", body(**{name: 1}), name, f"{name} is a number: it {_TAKES}"),
        _invalid(f"{name} with U+0000", body(**{name: "a\0b"}), name, f"{name} contains U+0000: it {_TAKES}"),
        _invalid(f"{name} of 257 characters", body(**{name: "x" * 257}), name, f"{name} has 257 characters"),
        _invalid(f"{name} of 513 bytes", body(**{name: "日" * 171}), name, f"{name} has 513 bytes of UTF-8"),
    )
] + [
    _invalid("cookie a list", body(cookie=["x"]), "cookie", f"cookie is an array: it {_TAKES}"),
    _invalid("cookie an object", body(cookie={"id": 1}), "cookie", f"cookie is an object: it {_TAKES}"),
    _invalid("cookie of 60,000 characters", body(cookie="x" * 60_000), "cookie", "cookie has 60000 characters"),
]

BAD_WORDS = [
    _invalid("device in lower case", body(device="pc"), "device", "device is 'pc': it takes PC, MOBILE or TV"),
    _invalid("device unknown", body(device="FRIDGE"), "device", "it takes PC, MOBILE or TV"),
    _invalid("device empty", body(device=""), "device", "device is '': it takes PC, MOBILE or TV"),
    _invalid("device with a space", body(device="PC "), "device", "it takes PC, MOBILE or TV"),
    _invalid("device a number", body(device=0), "device", "device is a number: it takes PC, MOBILE or TV"),
    _invalid("device null", body(device=None), "device", "device is null: it takes PC, MOBILE or TV"),
    _invalid("action in lower case", body(action="buy"), "action", "action is 'buy': it takes VIEW or BUY"),
    _invalid("action unknown", body(action="CLICK"), "action", "action is 'CLICK': it takes VIEW or BUY"),
    _invalid("action a list", body(action=["VIEW"]), "action", "action is an array: it takes VIEW or BUY"),
]

BAD_TIMES = [
    _invalid(f"time {text!r}", body(time=text), "time", f"time: '{text}' {_TIME}")
    for text in (
        "",
        "now",
        "2022-03-22",
        "2022-03-22T12:15:00Z",
        "2022-03-22T12:15:00.00Z",
        "2022-03-22T12:15:00.0000Z",
        "2022-03-22T12:15:00.000",
        "2022-03-22T12:15:00.000z",
        "2022-03-22t12:15:00.000Z",
        "2022-03-22 12:15:00.000Z",
        "2022-03-22T12:15:00.000+00:00",
        "2022-03-22T12:15:00,000Z",
        "20220322T121500.000Z",
        "2022-W12-2T12:15:00.000Z",
        " 2022-03-22T12:15:00.000Z",
        "2022-03-22T12:15:00.000Z ",
        "+022-03-22T12:15:00.000Z",
        "2022-03-22T24:00:00.000Z",
        "2022-03-22T12:60:00.000Z",
        "2022-03-22T12:15:60.000Z",
        "٢٠٢٢-03-22T12:15:00.000Z",
        "1647951300000",
    )
] + [
    _invalid("the 30th of February", body(time="2022-02-30T12:15:00.000Z"), "time", "is no real date"),
    _invalid("the 29th of February 2023", body(time="2023-02-29T12:15:00.000Z"), "time", "is no real date"),
    _invalid("month 13", body(time="2022-13-01T12:15:00.000Z"), "time", "is no real date"),
    _invalid("day 0", body(time="2022-03-00T12:15:00.000Z"), "time", "is no real date"),
    _invalid("year 0", body(time="0000-03-01T12:15:00.000Z"), "time", "is no real date"),
    _invalid("time as a number", body(time=1_647_951_300_000), "time", "time is a number: it takes a time of the form"),
    _invalid("time null", body(time=None), "time", "time is null: it takes a time of the form"),
    _invalid(
        "a line end behind the time", body(time="2022-03-22T12:15:00.000Z\n"), "time", "is not a time of the form"
    ),
    _invalid("time in the year 9999", body(time="9999-12-31T23:59:59.999Z"), "time", "at most 24 hours ahead"),
]

BAD_PRICES = [
    _invalid("price a string", body(price="100"), "price", f"price is '100': it {_INT32}"),
    _invalid("price a fraction", body(price=1.5), "price", f"price is 1.5: it {_INT32}"),
    _invalid("price a whole fraction", _with(b'"price": 1.0', _PRICE), "price", f"price is 1.0: it {_INT32}"),
    _invalid("price with an exponent", _with(b'"price": 1e3', _PRICE), "price", f"price is 1000.0: it {_INT32}"),
    _invalid("price of 9e999", _with(b'"price": 9e999', _PRICE), "price", f"price is inf: it {_INT32}"),
    _invalid("price true", body(price=True), "price", f"price is a boolean: it {_INT32}"),
    _invalid("price null", body(price=None), "price", f"price is null: it {_INT32}"),
    _invalid("price a list", body(price=[1]), "price", f"price is an array: it {_INT32}"),
    _invalid("price 2**31", body(price=2**31), "price", f"price is out of range: it {_INT32}"),
    _invalid("price -2**31 - 1", body(price=-(2**31) - 1), "price", f"price is out of range: it {_INT32}"),
    _invalid("price of 30,000 digits", _with(b'"price": ' + b"9" * 30_000, _PRICE), "price", "price is out of range"),
]

BAD_PRODUCTS = [
    _invalid("product_info null", _raw({**tag(), "product_info": None}), "product_info", "is null: it takes an object"),
    _invalid(
        "product_info a list", _raw({**tag(), "product_info": []}), "product_info", "is an array: it takes an obj"
    ),
    _invalid("product_info a string", _raw({**tag(), "product_info": "x"}), "product_info", "it takes an object"),
    _invalid(
        "product_info empty",
        _raw({**tag(), "product_info": {}}),
        "product_id",
        "product_id is missing: it takes a string",
    ),
    _invalid("product_id empty", body(product_id=""), "product_id", "product_id is empty"),
    _invalid("product_id with U+0000", body(product_id="\0"), "product_id", "product_id contains U+0000"),
    _invalid("product_id of 257 characters", body(product_id="x" * 257), "product_id", "has 257 characters"),
    _invalid("product_id of 513 bytes", body(product_id="日" * 171), "product_id", "has 513 bytes"),
    _invalid("product_id 2**63", body(product_id=2**63), "product_id", "product_id is out of range: it takes an int64"),
    _invalid("product_id -2**63 - 1", body(product_id=-(2**63) - 1), "product_id", "takes an int64"),
    _invalid("product_id 10**40", body(product_id=10**40), "product_id", "takes an int64"),
    _invalid("product_id a fraction", body(product_id=1.5), "product_id", "without U+0000, or an int64"),
    _invalid("product_id 1.0", _with(b'"product_id": 1.0', _PRODUCT_ID), "product_id", "without U+0000, or an int64"),
    _invalid("product_id true", body(product_id=True), "product_id", "without U+0000, or an int64"),
    _invalid("product_id null", body(product_id=None), "product_id", "without U+0000, or an int64"),
    _invalid("product_id a list", body(product_id=[1]), "product_id", "without U+0000, or an int64"),
    _invalid(
        "a bad price before a good one",
        _with(b'"price": "x", "price": 1', _PRICE),
        "price",
        "price is given more than once",
    ),
]

TOO_LARGE = [
    Bad("a good tag and 64 KiB of space", body() + b" " * 65_536, 413, "", "the body is over 65536 bytes"),
    Bad("64 KiB and a byte of nothing", b"x" * 65_537, 413, "", "the body is over 65536 bytes"),
    Bad("a megabyte", body(cookie="x" * 1_000_000), 413, "", "the body is over 65536 bytes"),
]

ALL = [
    *NOT_JSON,
    *NO_OBJECT,
    *MISSING,
    *BAD_TEXTS,
    *BAD_WORDS,
    *BAD_TIMES,
    *BAD_PRICES,
    *BAD_PRODUCTS,
    *TOO_LARGE,
]
