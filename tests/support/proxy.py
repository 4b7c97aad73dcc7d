"""A TCP proxy that fails at a chosen word of the client: as a network does, in the middle of things."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum


class Fault(Enum):
    """What becomes of the packet with the word, and of the connection."""

    CUT_BEFORE = "the server never gets it"
    CUT_AFTER = "the server gets it and answers, the client never hears of it"
    CUT_LATE = "the same, but the server gets it at thaw(), long after the client lost the connection"
    FREEZE = "nothing passes any more, until thaw()"


class Proxy:
    """Passes everything on, until a client says the word."""

    def __init__(self, host: str, port: int) -> None:
        self.port = 0
        self.struck = asyncio.Event()
        self._target = (host, port)
        self._word: bytes | None = None
        self._fault = Fault.FREEZE
        self._thawed = asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()

    def fail_at(self, word: bytes, fault: Fault) -> None:
        """Once, at the next packet from a client that holds `word`."""
        self._word, self._fault = word, fault
        self.struck.clear()
        self._thawed.clear()

    def thaw(self) -> None:
        """What was frozen goes on."""
        self._thawed.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a client."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        there, back = await asyncio.open_connection(*self._target)
        answers = asyncio.create_task(_pass_on(there, writer))
        try:
            while data := await reader.read(1 << 16):
                if self._word is not None and self._word in data:
                    self._word = None
                    if not await self._strike(data, writer, back, answers):
                        break
                else:
                    back.write(data)
                    await back.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass  # either side went: so does the other
        finally:
            answers.cancel()
            writer.close()
            back.close()
            self._connections.discard(task)

    async def _strike(
        self, data: bytes, writer: asyncio.StreamWriter, back: asyncio.StreamWriter, answers: asyncio.Task[None]
    ) -> bool:
        """Whether the connection lives on."""
        self.struck.set()
        if self._fault in (Fault.CUT_AFTER, Fault.CUT_LATE):
            answers.cancel()
        if self._fault is Fault.CUT_LATE:
            writer.close()
        if self._fault in (Fault.FREEZE, Fault.CUT_LATE):
            await self._thawed.wait()
        if self._fault is not Fault.CUT_BEFORE:
            back.write(data)
            await back.drain()
        return self._fault is Fault.FREEZE

    def end(self) -> None:
        """Cut every connection."""
        for task in self._connections:
            task.cancel()


@asynccontextmanager
async def before(host: str, port: int) -> AsyncIterator[Proxy]:
    """A proxy before a server, gone afterwards."""
    proxy = Proxy(host, port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.end()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()
