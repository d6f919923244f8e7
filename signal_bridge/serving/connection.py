"""One client's connection: on the event loop while it waits, on a thread while it is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gunicorn.workers.gthread import TConn

from signal_bridge.gunicorn_parts import CLIENT_SOCKET, strict_parser
from signal_bridge.serving.heads import Reading
from signal_bridge.serving.pace import ClientSocket, Patience, TooSlow
from signal_bridge.serving.queueing import Ticket

_READ_BYTES: Final = 64 * 1024
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class Inbox:
    """What a parser reads from: first what the loop has received, and then the client."""

    def __init__(self, sock: ClientSocket, buffer: bytearray) -> None:
        self._socket: Final = sock
        self._buffer: Final = buffer
        self.missing_bytes: int | None = None  # of the body of the request in hand, if it is known
        self.is_waited_for = False  # the client sends its body when it is told to
        self.when_whole: Callable[[], None] = _nothing

    def recv(self, size_bytes: int) -> bytes:
        """As a socket's. Raises TooSlow, or another OSError."""
        if not self._buffer:
            data = self._receive()
            if len(data) <= size_bytes:
                return data
            self._buffer.extend(data)
        data = bytes(self._buffer[:size_bytes])
        del self._buffer[:size_bytes]
        return data

    def _receive(self) -> bytes:
        while True:
            try:
                data = self._socket.recv(_READ_BYTES)
            except BlockingIOError:
                if self._socket.is_answered:  # what it still sends, nobody waits for
                    raise TooSlow("sends") from None
                if self.is_waited_for:
                    self.is_waited_for = False
                    self._socket.sendall(_CONTINUE)
                self._socket.wait_to_read()
            else:
                self._note(len(data))
                return data

    def _note(self, size_bytes: int) -> None:
        self._socket.reading_patience.move(size_bytes)
        if self.missing_bytes is not None and self.missing_bytes > 0:
            self.missing_bytes -= size_bytes
            if self.missing_bytes <= 0:
                self.when_whole()


class Connection(TConn):  # type: ignore[misc]
    """Gunicorn's, which has been waited for before a thread sees it."""

    def __init__(self, cfg: Any, sock: ClientSocket, address: Any, server: Any, owner: str) -> None:
        super().__init__(cfg, sock, address, server)
        self.parser: Any = None
        self.initialized = self.data_ready = True
        self.peer: Final = owner  # whom it comes from, whatever a request says
        self.owner = owner
        self.reading: Final = Reading()
        self.inbox: Final = Inbox(sock, self.reading.buffer)
        self.until = 0.0  # when it is closed if nothing comes
        self.received_at = 0.0
        self.counted_bytes = 0  # of its buffer, while it waits on the loop
        self.discarded_bytes = 0  # while it lingers
        self.lingers_until = 0.0
        self.is_waiting = False
        self.is_gone = False
        self.is_probed = False  # the request in hand is a probe
        self.is_lingering = False  # it is answered, and to be closed
        self.ticket: Ticket | None = None  # of the request that is whole, or worked on

    def begin_request(self) -> None:
        """On the thread that answers it."""
        if self.parser is None:
            self.parser = strict_parser(self.cfg, self.inbox, self.client)
        self.sock.begin_answer(self.is_probed)

    def end_request(self) -> None:
        """What was read of the next one is looked at again."""
        self.reading.begin(self.parser.unreader.take_buffered())
        self.parser.mesg = None  # which would lie in memory for as long as the connection is idle
        self.sock.reading_patience = Patience()
        self.inbox.missing_bytes = None
        self.inbox.when_whole = _nothing


def telling_answers(application: Any) -> Any:
    """The application, whose connections know of each answer when it begins, and if it streams.

    A stream is an answer without an announced length. How many there are is bounded where they are
    made (web/streams).
    """

    def told(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            has_length = any(name.lower() == "content-length" for name, _value in headers)
            environ[CLIENT_SOCKET].begin_writing(is_stream=not has_length)
            environ["wsgi.input"].discard()
            return start_response(status, headers, *exc_info)

        return application(environ, start)

    return told


def _nothing() -> None:
    """Nobody wants to know."""
