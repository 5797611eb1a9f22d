"""What one connection may cost. `uvicorn --http service.connection:BoundedProtocol` takes it in place of its own.

uvicorn has a limit for the head of a request only with h11, which is half as fast, and none for the time that a
request takes to arrive or its answer to be fetched.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_CONNECTIONS = 256  # each holds up to a megabyte: an answer to 10,000 rows
MAX_HEAD_BYTES = 32 * 1024
REQUEST_SECONDS = 20.0  # for a whole request, and for fetching an answer that is waiting


class BoundedProtocol(HttpToolsProtocol):
    """One connection; uvicorn makes one of these for each."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_bytes = 0
        self._until_asked: asyncio.TimerHandle | None = self._end_in_time()
        self._until_fetched: asyncio.TimerHandle | None = None
        if len(self.connections) > MAX_CONNECTIONS:
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop(self._until_asked)
        self._stop(self._until_fetched)

    def data_received(self, data: bytes) -> None:
        # The parser calls the methods below for what it finds in `data`; what it calls nothing for is a head (or what may
        # come after a body), and the parser keeps it.
        self._head_bytes += len(data)
        self._until_asked = self._until_asked or self._end_in_time()
        super().data_received(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"The head has more than {MAX_HEAD_BYTES} bytes.")

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._head_bytes = 0

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._head_bytes = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._head_bytes = 0
        self._stop(self._until_asked)
        self._until_asked = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._until_fetched = self._end_in_time()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop(self._until_fetched)

    def _end_in_time(self) -> asyncio.TimerHandle:
        return self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _stop(self, timer: asyncio.TimerHandle | None) -> None:
        if timer:
            timer.cancel()
