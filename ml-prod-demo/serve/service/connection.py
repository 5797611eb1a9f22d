"""What one connection may cost. `uvicorn --http service.connection:BoundedProtocol` takes it in place of its own.

uvicorn bounds the head of a request only with h11, which is much slower, and has no bound for the time that a request
takes to arrive, or its answer to be fetched.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_CONNECTIONS = (
    200  # each may hold a megabyte: the answer to 10,000 rows, and what it sends meanwhile
)
MAX_HEAD_BYTES = 32 * 1024
MAX_WAITING = 16  # requests that a caller has sent before it got the answer to the first
SECONDS = 20.0  # for a request to be here, and for its answer to be fetched


class BoundedProtocol(HttpToolsProtocol):
    """One connection; uvicorn makes one of these for each, and asyncio calls its methods."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._head_bytes = 0
        self._waits_for_request = self._end_in_time()
        self._waits_for_caller: asyncio.TimerHandle | None = None
        if len(self.connections) > MAX_CONNECTIONS:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._waits_for_request.cancel()
        if self._waits_for_caller:
            self._waits_for_caller.cancel()

    def data_received(self, data: bytes) -> None:
        # The parser calls the `on_` methods for what it finds in `data`. What it calls none for, it keeps: that is a head, or
        # what stands behind a body.
        self._head_bytes += len(data)
        if self._waits_for_request.cancelled():
            self._waits_for_request = self._end_in_time()
        super().data_received(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head has more than {MAX_HEAD_BYTES} bytes.")

    def on_headers_complete(self) -> None:
        # The parser hands over all requests that one read has brought; an error ends the connection.
        if len(self.pipeline) >= MAX_WAITING:
            raise ValueError("too many requests wait for their answers")
        super().on_headers_complete()
        self._head_bytes = 0

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._head_bytes = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._head_bytes = 0
        self._waits_for_request.cancel()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._waits_for_caller = self._end_in_time()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._waits_for_caller:
            self._waits_for_caller.cancel()

    def _end_in_time(self) -> asyncio.TimerHandle:
        return self.loop.call_later(SECONDS, self.transport.abort)
