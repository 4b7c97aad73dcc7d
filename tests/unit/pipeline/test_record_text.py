"""Any bytes can be shown."""

from pipeline import record_text
from schemas import codec, tags

TAG = tags.UserTag(0, "cookie", "PL", "PC", "VIEW", "origin", 1, "brand", "category", 5)


def test_a_tag_is_shown_as_the_api_has_it() -> None:
    assert '"time": "1970-01-01T00:00:00.000Z"' in record_text.readable(codec.encode_tag(TAG))


def test_a_key_is_shown_by_its_fields() -> None:
    assert "origin='origin'" in record_text.readable(codec.encode_item(tags.item_of(TAG)))


def test_other_bytes_are_shown_as_text_with_escapes_and_in_hex() -> None:
    shown = record_text.readable(b"ab\x00\xff")

    assert "text: ab\\x00\\xff" in shown
    assert "hex:  616200ff" in shown


def test_a_long_value_is_cut() -> None:
    assert len(record_text.readable(b"x" * 1_000_000)) < 20_000


def test_no_value_is_said_to_be_none() -> None:
    assert record_text.readable(None) == "none"
