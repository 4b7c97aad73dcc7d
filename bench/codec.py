"""What encoding and decoding an event costs, in us of CPU a call: `python -m bench.codec`."""

import time
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import fastavro

from bench import events
from schemas import codec, registry, tags

EVENTS = 20_000
ROUNDS = 5


def main() -> None:
    """Measure and print."""
    made = list(events.make(EVENTS, seed=1))
    items = [tags.item_of(tag) for tag in made]
    values, keys = [codec.encode_tag(tag) for tag in made], [codec.encode_item(item) for item in items]
    schema = registry.Schema("UserTag").current
    calls: dict[str, tuple[Callable[[Any], object], Sequence[Any]]] = {
        "encode_tag": (codec.encode_tag, made),
        "decode_tag": (codec.decode_tag, values),
        "decode_tag, by fastavro": (lambda data: _library(schema, data), values),
        "encode_item": (codec.encode_item, items),
        "decode_item": (codec.decode_item, keys),
    }
    for name, (call, arguments) in calls.items():
        print(f"{name:24} {min(_cost(call, arguments) for _ in range(ROUNDS)):5.2f} us")


def _cost(call: Callable[[Any], object], arguments: Sequence[Any]) -> float:
    began = time.process_time()
    for argument in arguments:
        call(argument)
    return (time.process_time() - began) / len(arguments) * 1e6


def _library(schema: Any, data: bytes) -> object:
    return fastavro.schemaless_reader(BytesIO(data[registry.HEADER_BYTES :]), schema, None)


if __name__ == "__main__":
    main()
