"""The fast reader and fastavro say the same of every record, whole or damaged."""

from io import BytesIO

import fastavro
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec, errors, fast, registry, tags
from tests.property.schemas.test_codec import TAGS

SCHEMA = registry.Schema("UserTag")


def test_today_s_schema_is_the_one_that_it_reads() -> None:
    assert SCHEMA.header == fast.HEADER


@given(TAGS)
def test_a_whole_record_is_read_the_same(tag: tags.UserTag) -> None:
    data = codec.encode_tag(tag)
    assert fast.read(data) == _by_fastavro(data) == tag


@settings(max_examples=500)
@given(TAGS, st.data())
def test_a_damaged_record_is_refused_or_read_as_fastavro_reads_it(tag: tags.UserTag, data: st.DataObject) -> None:
    record = bytearray(codec.encode_tag(tag))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(10, len(record) - 1))
        record[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    read = _or_none(bytes(record))
    if read is not None:
        assert read == _by_fastavro(bytes(record))


def _or_none(data: bytes) -> tags.UserTag | None:
    try:
        return fast.read(data)
    except errors.UndecodableRecord:
        return None


def _by_fastavro(data: bytes) -> tags.UserTag:
    record = fastavro.schemaless_reader(BytesIO(data[registry.HEADER_BYTES :]), SCHEMA.current, None)
    return tags.UserTag(**record)  # type: ignore[arg-type]
