"""Tags and keys as bytes, in Avro's single-object encoding.

Two marker bytes, the CRC-64-AVRO fingerprint of the writer's schema, the Avro body
(https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding). The fingerprint names the writer's schema
without a registry, so a reader takes every version ever released. `python -m bench.codec` prints what each call costs.
"""

from io import BytesIO
from typing import Any, cast

import msgspec
from fastavro import schemaless_reader, schemaless_writer

from schemas import errors, fast, registry, tags

_TAG = registry.Schema("UserTag")
_ITEM = registry.Schema("AggregatesItem")


def encode_tag(tag: tags.UserTag) -> bytes:
    """`tag` under the current schema. Raises ValueError or OverflowError on a value that the schema cannot hold."""
    return _encode(_TAG, msgspec.structs.asdict(tag))


def decode_tag(data: bytes) -> tags.UserTag:
    """The tag that any released version wrote. Raises `errors.UndecodableRecord`."""
    if data.startswith(fast.HEADER):
        return fast.read(data)
    return tags.UserTag(**_decode(_TAG, data))


def encode_item(item: tags.AggregatesItem) -> bytes:
    """`item` under the current schema: equal items give equal bytes."""
    return _encode(_ITEM, msgspec.structs.asdict(item))


def decode_item(data: bytes) -> tags.AggregatesItem:
    """The item that any released version wrote. Raises `errors.UndecodableRecord`."""
    return tags.AggregatesItem(**_decode(_ITEM, data))


def _encode(schema: registry.Schema, record: dict[str, Any]) -> bytes:
    body = BytesIO()
    body.write(schema.header)
    schemaless_writer(body, schema.current, record)
    return body.getvalue()


def _decode(schema: registry.Schema, data: bytes) -> dict[str, Any]:
    writer = schema.released.get(data[: registry.HEADER_BYTES])
    if writer is None:
        message = f"{data[: registry.HEADER_BYTES].hex()!r} is the header of no released {schema.name} schema"
        raise errors.UndecodableRecord(message)
    body = BytesIO(data)
    body.seek(registry.HEADER_BYTES)
    # A reader schema costs a resolution per field even where it equals the writer's: only old versions get one.
    reader = None if writer is schema.current else schema.current
    try:
        record = schemaless_reader(body, writer, reader)
    except Exception as error:  # whatever fastavro makes of bytes that are no such record
        message = f"no {schema.name} record behind a right header: {type(error).__name__}: {error}"
        raise errors.UndecodableRecord(message) from error
    if body.tell() != len(data):
        message = f"{len(data) - body.tell()} bytes too many behind a {schema.name} record"
        raise errors.UndecodableRecord(message)
    return cast(dict[str, Any], record)
