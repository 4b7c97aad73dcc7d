"""What was sent and what its sender was told: a file with one line of JSON a request."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import msgspec

Status = Literal["acknowledged", "refused", "unknown"]
ACKNOWLEDGED: Final = "acknowledged"
REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"


class Entry(msgspec.Struct, frozen=True):
    """One request: the event's id, and when (seconds since 1970) it was sent and its outcome was known."""

    id: str
    sent: float
    status: Status
    ended: float


class History:
    """Appends entries to a file, from any thread. One that is there already is begun anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        self._lock = threading.Lock()
        self._encode = msgspec.json.Encoder().encode

    def note(self, name: str, sent: float, status: Status) -> None:
        """The request of event `name`, sent at `sent`, has ended now."""
        line = self._encode(Entry(name, sent, status, time.time())) + b"\n"
        with self._lock:
            self._file.write(line)

    def close(self) -> None:
        """All of it is in the file."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def read(path: Path) -> Iterator[Entry]:
    """Every entry of a history's file. Raises `msgspec.DecodeError` at a line that is none."""
    decode = msgspec.json.Decoder(Entry).decode
    with path.open("rb") as lines:
        yield from map(decode, lines)
