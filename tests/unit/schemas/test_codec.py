"""Records survive the way to bytes and back, name their schema, and broken ones are refused with a reason."""

import msgspec
import pytest

from schemas import codec, errors, registry, tags

TAG = tags.UserTag(
    time=1_647_951_300_000,
    cookie="ciastko/ż %00 'x' 🍪",
    country="PL",
    device="TV",
    action="BUY",
    origin="kampania 50%",
    product_id=2**63 - 1,
    brand_id='"quoted"',
    category_id="a/b",
    price=-(2**31),
)


@pytest.mark.parametrize("product_id", [0, -1, 2**63 - 1, -(2**63), "0", "", "17", "ż" * 256])
def test_a_product_id_comes_back_with_the_type_it_came_with(product_id: int | str) -> None:
    tag = msgspec.structs.replace(TAG, product_id=product_id)
    decoded = codec.decode_tag(codec.encode_tag(tag)).product_id
    assert decoded == product_id
    assert type(decoded) is type(product_id)


def test_the_event_id_is_optional() -> None:
    with_id = msgspec.structs.replace(TAG, event_id="order-17")
    assert codec.decode_tag(codec.encode_tag(with_id)) == with_id
    assert codec.decode_tag(codec.encode_tag(TAG)).event_id is None


def test_a_record_opens_with_the_marker_and_the_little_endian_fingerprint_of_its_schema() -> None:
    # The specification's own example: the 64-bit Rabin fingerprint of "int" is 0x7275d51a3f395c8f.
    assert registry.header_of("int") == b"\xc3\x01" + (0x7275D51A3F395C8F).to_bytes(8, "little")
    assert codec.encode_tag(TAG)[:10] == registry.Schema("UserTag").header


def test_equal_items_give_equal_keys_and_other_items_other_keys() -> None:
    item = tags.item_of(TAG)
    assert codec.encode_item(item) == codec.encode_item(tags.item_of(TAG))
    assert codec.decode_item(codec.encode_item(item)) == item
    later = msgspec.structs.replace(TAG, time=TAG.time + 60_000)
    assert codec.encode_item(tags.item_of(later)) != codec.encode_item(item)


@pytest.mark.parametrize("time", [-1, -60_000, -60_001, 0, 59_999, 60_000])
def test_a_minute_is_the_one_that_the_time_lies_in_before_1970_too(time: int) -> None:
    minute = tags.item_of(msgspec.structs.replace(TAG, time=time)).minute
    assert minute * 60_000 <= time < (minute + 1) * 60_000


BROKEN = {
    "nothing at all": b"",
    "a header only": codec.encode_tag(TAG)[:10],
    "no marker": codec.encode_tag(TAG)[1:],
    "an unknown schema": b"\xc3\x01" + b"\x00" * 8 + codec.encode_tag(TAG)[10:],
    "the last byte missing": codec.encode_tag(TAG)[:-1],
    "a byte too many": codec.encode_tag(TAG) + b"\x00",
    "text that is no UTF-8": codec.encode_tag(TAG).replace("🍪".encode(), b"\xff\xfe\xfd\xfc"),
    "a length beyond the end": codec.encode_tag(TAG)[:18] + b"\xfe\xff\xff\xff\x0f" + codec.encode_tag(TAG)[19:],
    "a number without end": codec.encode_tag(TAG)[:10] + b"\xff" * 500_000,
    "an aggregates item": codec.encode_item(tags.item_of(TAG)),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN.keys())
def test_bytes_that_are_no_tag_are_refused_with_a_reason(data: bytes) -> None:
    with pytest.raises(errors.UndecodableRecord, match="UserTag"):
        codec.decode_tag(data)
