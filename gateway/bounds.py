"""HTTP/1.1 as uvicorn speaks it, with bounds on what one connection keeps in memory.

uvicorn has none on headers, nor on requests that are sent before those before them are answered: whoever can connect
takes all memory, before any token is asked for. And a single header that grows is copied whole with every piece that
comes, so that all others wait.
"""

import asyncio
from collections.abc import Sized
from typing import Final

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gateway import answers, endpoints, errors, metrics

HEADERS_BYTES: Final = 64 * 1024
"""Of a request line and headers, or of the trailers behind a chunked body. The edge's buffer (`tune.bufsize`) is half
of it: nobody who comes through the edge meets this bound."""

QUEUED: Final = 1_000
"""Requests of one connection that wait for the one before them. So many small ones may come in one read, and no more is
read before they are answered; the edge sends one at a time."""

PIECE_BYTES: Final = 8 * 1024
"""So much is parsed before the next look, for the event loop reads up to 256 KiB at once. Where in a piece headers
begin or end is not known, so neither of the two counts: what is over the bound by two pieces is refused for certain."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Costs 0.2 us a request, where its headers come in one piece; `super()` would make that 0.3 us."""

    _unended_bytes = 0  # of headers that have not ended; 0: there are none. Over the bound: nothing more is listened to
    _in_chunk = False  # the size of a chunk has been read, and nothing of it: behind the last one stand trailers

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """The connection is there."""
        HttpToolsProtocol.connection_made(self, transport)
        self.flow = _PatientFlow(transport, self.pipeline)

    def data_received(self, data: bytes) -> None:
        """Parse what came. Over a bound the connection ends, after a 431 if that is headers."""
        if self._unended_bytes or self.pipeline or len(data) > PIECE_BYTES:
            self._receive_in_pieces(data)
            return
        HttpToolsProtocol.data_received(self, data)
        if self._in_chunk or self.cycle is None or self.cycle.scope is not self.scope:
            self._unended_bytes = 1

    def on_chunk_header(self) -> None:
        """Called by the parser; uvicorn does without."""
        self._in_chunk, self._unended_bytes = True, 0

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._in_chunk = False
        HttpToolsProtocol.on_body(self, body)

    def on_chunk_complete(self) -> None:
        """Called by the parser; of the last chunk, when the trailers have ended."""
        self._in_chunk = False

    def _receive_in_pieces(self, data: bytes) -> None:
        for start in range(0, len(data), PIECE_BYTES):
            if self._unended_bytes > HEADERS_BYTES or self.transport.is_closing():
                return
            self._receive_piece(data[start : start + PIECE_BYTES])
            if self.transport.is_closing():
                return  # what came was no HTTP, and has its 400
            if self._unended_bytes > HEADERS_BYTES:
                self._refuse_headers()
            elif len(self.pipeline) > QUEUED:
                self._end_queue()

    def _receive_piece(self, piece: bytes) -> None:
        before = self.scope
        HttpToolsProtocol.data_received(self, piece)
        if not self._in_chunk and self.cycle is not None and self.cycle.scope is self.scope:
            self._unended_bytes = 0
        elif self._unended_bytes and self.scope is before:
            self._unended_bytes += len(piece)
        else:
            self._unended_bytes = 1

    def _end_queue(self) -> None:
        """The connection ends with the answers to those that wait, of which the newest may not be here whole."""
        if self.cycle.more_body:
            self.pipeline.popleft()
            self.cycle, _ = self.pipeline[0]
        self._unended_bytes = HEADERS_BYTES + 1
        self.shutdown()

    def _refuse_headers(self) -> None:
        if self._in_chunk:
            self.transport.close()  # trailers: the request may have its answer already
        elif self.cycle is not None and not self.cycle.response_complete:
            self.shutdown()  # an answer now would pass for that of a request before this one, which gets its own
        else:
            self._answer()
            self.transport.close()

    def _answer(self) -> None:
        answer = answers.of(errors.HeadersTooLarge(HEADERS_BYTES))
        headers = [*self.server_state.default_headers, *answer.headers, (b"connection", b"close")]
        lines = [b"%s: %s\r\n" % header for header in headers]
        self.transport.write(b"".join([STATUS_LINE[answer.status], *lines, b"\r\n", answer.body]))
        metrics.REQUESTS.labels(endpoints.OTHER, str(answer.status)).inc()


class _PatientFlow(FlowControl):
    """Reads nothing more while requests wait for the one before them.

    uvicorn's own goes on at each answer, and reads more than was answered.
    """

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()
