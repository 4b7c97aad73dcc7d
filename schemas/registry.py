"""The schemas that code and topic agree on: the current version of each record, and every version ever released.

A version is released by copying `NAME.avsc` to `released/NAME.vN.avsc`; released files never change.
"""

import json
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final, cast

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

MARKER: Final = b"\xc3\x01"
HEADER_BYTES: Final = 10

SchemaJson = dict[str, Any]


class Schema:
    """One record type by name.

    `current` is the parsed schema that new records are written with, `header` the ten bytes that name it, and
    `released` maps the header of every version ever released to its parsed schema.
    """

    def __init__(self, name: str, folder: Traversable | None = None) -> None:
        folder = folder or resources.files("schemas")
        self.name = name
        current = _load(folder / f"{name}.avsc")
        self.header: Final = header_of(current)
        self.released: Final = {header_of(version): _parsed(version) for version in _versions(folder, name)}
        self.current: Final = self.released.setdefault(self.header, _parsed(current))


def header_of(schema: SchemaJson | str) -> bytes:
    """Marker and fingerprint of a schema, as they stand before each record written with it."""
    crc = fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO")
    return MARKER + bytes.fromhex(crc)


def _versions(folder: Traversable, name: str) -> list[SchemaJson]:
    return [_load(file) for file in (folder / "released").iterdir() if file.name.startswith(f"{name}.v")]


def _load(file: Traversable) -> SchemaJson:
    schema: SchemaJson = json.loads(file.read_text("utf-8"))
    return schema


def _parsed(schema: SchemaJson) -> SchemaJson:
    return cast(SchemaJson, fastavro.parse_schema(_without_logical_types(schema)))


def _without_logical_types(node: Any) -> Any:
    """`timestamp-millis` tells other readers what the long means; here a datetime would cost 2 us an event."""
    if isinstance(node, dict):
        return {key: _without_logical_types(value) for key, value in node.items() if key != "logicalType"}
    if isinstance(node, list):
        return [_without_logical_types(value) for value in node]
    return node
