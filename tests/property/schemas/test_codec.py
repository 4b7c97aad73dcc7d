"""Whatever the API lets in comes back from the bytes unchanged, and no bytes can break a reader."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from schemas import codec, errors, tags

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=64)
TAGS = st.builds(
    tags.UserTag,
    time=st.integers(-62_135_596_800_000, 253_402_300_799_999),
    cookie=TEXT,
    country=TEXT,
    device=st.sampled_from(tags.DEVICES),
    action=st.sampled_from(tags.ACTIONS),
    origin=TEXT,
    product_id=TEXT | st.integers(-(2**63), 2**63 - 1),
    brand_id=TEXT,
    category_id=TEXT,
    price=st.integers(-(2**31), 2**31 - 1),
    event_id=st.none() | TEXT,
)


@given(TAGS)
def test_a_tag_comes_back_unchanged(tag: tags.UserTag) -> None:
    assert codec.decode_tag(codec.encode_tag(tag)) == tag
    assert codec.decode_item(codec.encode_item(tags.item_of(tag))) == tags.item_of(tag)


@given(TAGS, st.data())
def test_a_damaged_record_is_read_as_a_tag_or_refused_and_nothing_else(tag: tags.UserTag, data: st.DataObject) -> None:
    record = bytearray(codec.encode_tag(tag))
    for _ in range(data.draw(st.integers(1, 4))):
        record[data.draw(st.integers(10, len(record) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(errors.UndecodableRecord):
        assert isinstance(codec.decode_tag(bytes(record)), tags.UserTag)
