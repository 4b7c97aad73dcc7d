"""TOKENS_FILE: read at start, and again whenever it changes, without a restart.

A file that cannot be used at start is refused. Later, the tokens read last stay valid until it can be used again; the
log and `allezone_gateway_tokens_file_broken` say so.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gateway import metrics, tokens
from gateway.errors import BrokenTokens
from gateway.tokens import Tokens
from runtime import logging, tracebacks

_log = logging.get_logger(__name__)
_INTERVAL_S: Final = 1.0
_MAX_BYTES: Final = 256 * 1024


class TokenFile:
    """One file, and the tokens that it held when it last could be used."""

    def __init__(self, path: str) -> None:
        """Raises `BrokenTokens`."""
        self._path = Path(path)
        self._text = _read(self._path)
        self.tokens = tokens.parse(self._text)
        self._trouble: str | None = None
        self._asked = asyncio.Event()

    def look(self) -> None:
        """Look now, and say what is found even if nothing has changed: what SIGHUP asks for."""
        self._asked.set()

    async def watch(self, use: Callable[[Tokens], None], interval_s: float = _INTERVAL_S) -> None:
        """For ever: hand each new reading of the file to `use`."""
        _log.info("tokens read", tokens=len(self.tokens.entries), added=[], removed=[])
        while True:
            asked = await self._wait(interval_s)
            try:
                text = await asyncio.to_thread(_read, self._path)
                found = self.tokens if text == self._text else tokens.parse(text)
            except Exception as error:  # whatever it is, it must not end the watching, and must be seen
                self._complain(str(error) if isinstance(error, BrokenTokens) else tracebacks.words(error), again=asked)
            else:
                if asked or text != self._text or self._trouble is not None:
                    self._take(text, found)
                    use(found)

    async def _wait(self, interval_s: float) -> bool:
        """Whether somebody asked before the time had come."""
        try:
            await asyncio.wait_for(self._asked.wait(), interval_s)
        except TimeoutError:
            return False
        self._asked.clear()
        return True

    def _take(self, text: str, found: Tokens) -> None:
        before, now = set(self.tokens.entries), set(found.entries)
        self._text, self.tokens, self._trouble = text, found, None
        metrics.TOKENS_BROKEN.set(0)
        added, removed = (sorted(entry.name for entry in some) for some in (now - before, before - now))
        _log.info("tokens read", tokens=len(now), added=added, removed=removed)

    def _complain(self, why: str, *, again: bool) -> None:
        """Once for each trouble, not every second."""
        metrics.TOKENS_BROKEN.set(1)
        if again or why != self._trouble:
            _log.error("TOKENS_FILE cannot be used: the tokens read before stay valid", file=str(self._path), why=why)
        self._trouble = why


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            message = f"it is over {_MAX_BYTES} bytes"
            raise BrokenTokens(message)
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"it cannot be read: {error}"
        raise BrokenTokens(message) from error
