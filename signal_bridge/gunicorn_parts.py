"""What Gunicorn does not document and the bridge needs all the same. All of it is named here.

Read from Gunicorn 26.2.0. `tests/test_gunicorn_parts.py` fails when another version is installed,
or when one of these has another shape: then read them again in the new one.

    ThreadWorker.accept, finish_request, handle, handle_error, murder_keepalived, murder_pending,
    set_accept_enabled, wait_for_and_dispatch_events, get_thread_pool
                                          are replaced, so that connections wait on the event loop
    poller, method_queue, tpool, nr_conns, alive, max_keepalived, worker_connections
                                          how the loop waits, hears of answers and ends
    TConn.initialized, data_ready, parser to give it a parser whose bytes were received already
    RequestParser.mesg_class, Unreader.take_buffered
                                          which request it makes, and what it read of the next
    Request._apply_header_policy, set_body_reader, force_close
                                          to keep no connection that others may read differently,
                                          and none with the rest of a body that nobody wants
    Body, ChunkedReader.read, get_data, parse_chunk_size, parse_trailers
                                          to bound what is between chunks, and to trust none further
    ThreadWorker._keepalive_after         is told when a connection was cut off meanwhile
    RequestParser.mesg                    is forgotten when it is answered
    Worker.handle_error's log line        quotes what it could not read, which may be a message
    http.errors                           to answer a head that cannot be read as JSON, by its limit
    http.message._check_fast_parser       to say which HTTP parser runs
    environ["gunicorn.socket"]            to wait for a client's end, and to speak WebSocket
    StopIteration from the application    to end such a connection without an answer
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, Final, NoReturn

from gunicorn.glogging import Logger
from gunicorn.http import message
from gunicorn.http.body import Body, ChunkedReader
from gunicorn.http.errors import (
    InvalidChunkExtension,
    InvalidChunkSize,
    NoMoreData,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.http.parser import RequestParser

CLIENT_SOCKET: Final = "gunicorn.socket"
"""The key under which a WSGI environment holds the connection of its request."""

# So much is read of a body that no view wanted. After more the connection ends, and the answer
# says so: it is the event loop that waits then until the client has written it all.
_UNREAD_REST_BYTES: Final = 64 * 1024
_READ_BYTES: Final = 8192

READ_FROM: Final = "26.2.0"

# How Gunicorn's Worker.handle_error begins what it logs of a request that it cannot read.
UNREADABLE_REQUEST: Final = "Invalid request from ip="

UNREADABLE_TRAILER: Final = ParseException
"""What reading a body raises for the fields after its last chunk, beside OSError for the rest."""


class DiscreetLogger(Logger):  # type: ignore[misc]
    """Gunicorn's, without its access log, which it writes for nobody if logging is configured."""

    def access(self, *_: Any) -> None:
        """Cost a tenth of a request."""

    def warning(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Gunicorn's parser in Python quotes what it cannot read, which may be a message."""
        is_quoting = msg.startswith(UNREADABLE_REQUEST)
        super().warning(msg.partition(": ")[0] if is_quoting else msg, *args, **kwargs)


_TOKEN: Final = rb"[!#$%&'*+.^`|~\w-]+"
_QUOTED: Final = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
CHUNK_LINE: Final = re.compile(
    rb"([0-9A-Fa-f]{1,15})"
    rb"(?:[ \t]*;[ \t]*%b(?:[ \t]*=[ \t]*(?:%b|%b))?)*" % (_TOKEN, _TOKEN, _QUOTED)
)
"""What stands before a chunk: its size, and extensions (RFC 9112, 7.1 and 7.1.1).

Others may end the line at anything else in it. Nobody has chunks of 2^60 bytes.
"""

# All extensions of one body (RFC 9112, 7.1.1 asks for a limit), or all fields after the last chunk.
# Gunicorn has no limit.
_EXTENSIONS_BYTES: Final = 64 * 1024
_TRAILERS_BYTES: Final = 64 * 1024


class _Chunks(ChunkedReader):  # type: ignore[misc]
    """A chunked body. Where one ends that cannot be read nobody knows: nothing is read after it."""

    def __init__(self, req: Any, unreader: Any) -> None:
        super().__init__(req, unreader)
        self._extensions_bytes = 0

    def read(self, size: int) -> bytes:
        try:
            return bytes(super().read(size))
        except (OSError, ParseException):
            self.req.force_close()
            raise

    def parse_chunk_size(self, unreader: Any, data: Any = None) -> Any:
        """The next chunk's size, and what was read of it. (0, None) after the last."""
        read = data or b""
        while (end := read.find(b"\r\n")) < 0:
            if len(read) > _EXTENSIONS_BYTES:
                raise InvalidChunkExtension("too long")
            if not (more := unreader.read()):
                raise NoMoreData
            read += more
        line = CHUNK_LINE.fullmatch(read, 0, end)
        if line is None:
            raise InvalidChunkSize(b"")
        self._extensions_bytes += end - line.end(1)
        if self._extensions_bytes > _EXTENSIONS_BYTES:
            raise InvalidChunkExtension("too long")
        size_bytes = int(line[1], 16)
        if size_bytes:
            return size_bytes, read[end + 2 :]
        self.parse_trailers(unreader, read[end + 2 :])
        return 0, None

    def get_data(self, unreader: Any, buf: Any) -> None:
        if buf.tell() > _TRAILERS_BYTES:
            raise InvalidChunkSize(b"")
        super().get_data(unreader, buf)


class _Body(Body):  # type: ignore[misc]
    """The body of one request, as `wsgi.input`."""

    def __init__(self, req: Any, reader: Any) -> None:
        super().__init__(reader)
        self._req: Final = req

    def discard(self) -> None:
        """Read what nobody wanted, if it is short. After more the connection ends.

        To be called before the answer's head is written, which says whether the connection ends.
        """
        left_bytes = _UNREAD_REST_BYTES
        with contextlib.suppress(OSError, ParseException):
            while left_bytes > 0:
                rest = self.read(_READ_BYTES)
                if not rest:
                    return
                left_bytes -= len(rest)
        self._req.force_close()


class _Request(message.Request):  # type: ignore[misc]
    """A request. After a field that Gunicorn leaves out, others may read other bytes as the next.

    Those are the ones with `_`, which a proxy may take for the ones with `-`.
    """

    def _apply_header_policy(self, *args: Any, **kwargs: Any) -> Any:
        kept = super()._apply_header_policy(*args, **kwargs)
        if kept is None:
            self.force_close()
        return kept

    def set_body_reader(self) -> None:
        """Gunicorn passes compressed bodies on, and knows `identity`, beside a length, too."""
        for name, value in self.headers:
            if name == "TRANSFER-ENCODING" and value.lower() != "chunked":
                raise UnsupportedTransferCoding(value)
        super().set_body_reader()
        reader = self.body.reader
        if isinstance(reader, ChunkedReader):
            reader = _Chunks(self, self.unreader)
        self.body: Any = _Body(self, reader)


def strict_parser(cfg: Any, source: Any, address: Any) -> Any:
    """Gunicorn's parser of the requests of one connection, whose bytes come from `source.recv`."""
    parser = RequestParser(cfg, source, address)
    parser.mesg_class = _Request
    return parser


def end_without_answer() -> NoReturn:
    """For an application that has answered on the socket itself: Gunicorn closes the connection.

    Raises StopIteration, which has to reach Gunicorn.
    """
    raise StopIteration


def parses_in_c(cfg: Any) -> bool:
    """Whether requests are parsed in C, asked the way Gunicorn does for each."""
    return bool(message._check_fast_parser(cfg))
