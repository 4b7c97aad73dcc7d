"""Today's code reads every schema ever released, and a schema cannot change without being released."""

import json
from importlib import resources
from io import BytesIO
from pathlib import Path

import fastavro
import pytest

from schemas import codec, registry, tags

FOLDER = Path(str(resources.files("schemas")))
RELEASED = sorted((FOLDER / "released").glob("*.avsc"))
NAMES = ["UserTag", "AggregatesItem"]
# Released files are kept as they were: a fingerprint that changes here breaks topics that hold its records.
FINGERPRINTS = {
    "AggregatesItem.v1.avsc": "a73a73c6a0e7df02",
    "UserTag.v1.avsc": "795424807af95fef",
}
SAMPLE = {
    "UserTag": {
        "time": 1_647_951_300_000,
        "cookie": "c",
        "country": "PL",
        "device": "PC",
        "action": "VIEW",
        "origin": "o",
        "product_id": "p",
        "brand_id": "b",
        "category_id": "k",
        "price": 7,
        "event_id": None,
    },
    "AggregatesItem": {"minute": 27_465_855, "action": "VIEW", "origin": "o", "brand_id": "b", "category_id": "k"},
}


@pytest.mark.parametrize("name", NAMES)
def test_the_current_schema_is_a_released_one(name: str) -> None:
    schema = registry.Schema(name)
    assert schema.header in {_header(file) for file in RELEASED if file.name.startswith(f"{name}.v")}


def test_released_schemas_never_change() -> None:
    assert {file.name: _header(file)[2:].hex() for file in RELEASED} == FINGERPRINTS


@pytest.mark.parametrize("file", RELEASED, ids=lambda file: file.name)
def test_a_record_of_every_released_schema_is_read(file: Path) -> None:
    name = file.name.split(".")[0]
    writer = json.loads(file.read_text("utf-8"))
    fields = [field["name"] for field in writer["fields"]]
    body = BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(writer), {field: SAMPLE[name][field] for field in fields})
    decode = codec.decode_tag if name == "UserTag" else codec.decode_item
    record = decode(_header(file) + body.getvalue())
    assert {field: getattr(record, field) for field in fields} == {field: SAMPLE[name][field] for field in fields}


def test_a_grown_schema_still_reads_what_the_one_before_it_wrote(tmp_path: Path) -> None:
    old = json.loads((FOLDER / "UserTag.avsc").read_text("utf-8"))
    grown = {**old, "fields": [*old["fields"], {"name": "tenant", "type": "string", "default": "main"}]}
    (tmp_path / "released").mkdir()
    (tmp_path / "released" / "UserTag.v1.avsc").write_text(json.dumps(old))
    (tmp_path / "UserTag.avsc").write_text(json.dumps(grown))
    schema = registry.Schema("UserTag", tmp_path)
    written = codec.encode_tag(tags.UserTag(**SAMPLE["UserTag"]))  # type: ignore[arg-type]
    writer = schema.released[written[: registry.HEADER_BYTES]]
    body = BytesIO(written[registry.HEADER_BYTES :])
    assert fastavro.schemaless_reader(body, writer, schema.current) == {**SAMPLE["UserTag"], "tenant": "main"}


def _header(file: Path) -> bytes:
    return registry.header_of(json.loads(file.read_text("utf-8")))
