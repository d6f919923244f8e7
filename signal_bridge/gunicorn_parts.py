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
                                          to keep no connection that others may read differently
    Body, ChunkedReader.read, get_data, parse_chunk_size
                                          to bound what is between chunks, and to trust none further
    ThreadWorker._keepalive_after         after it nobody waits for the rest of a body
    Worker.handle_error's log line        quotes what it could not read, which may be a message
    http.errors                           to answer a head that cannot be read as JSON, by its limit
    http.message._check_fast_parser       to say which HTTP parser runs
    environ["gunicorn.socket"]            to wait for a client's end, and to speak WebSocket
    http.parser._DRAIN_MAX_BYTES          how much of an unread body it reads by itself
    StopIteration from the application    to end such a connection without an answer
"""

from __future__ import annotations

from io import SEEK_END, BytesIO
from typing import Any, Final, NoReturn

from gunicorn.glogging import Logger
from gunicorn.http import message
from gunicorn.http.body import Body, ChunkedReader
from gunicorn.http.errors import InvalidChunkExtension, InvalidChunkSize, ParseException
from gunicorn.http.parser import RequestParser

CLIENT_SOCKET: Final = "gunicorn.socket"
"""The key under which a WSGI environment holds the connection of its request."""

UNREAD_REST_BYTES: Final = 16 * 2**20
"""The most that we read of a body that no view wanted, before the answer goes out.

Afterwards Gunicorn reads 64 KiB, and takes a body for read that ends within them, with the
beginning of the client's next request in its buffer. Of what is still longer it closes the
connection, so this is much more than those.
"""

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


# A chunk's size with its extension, or all fields after the last. Gunicorn has no limit.
_BETWEEN_CHUNKS_BYTES: Final = 64 * 1024


class _Chunks(ChunkedReader):  # type: ignore[misc]
    """A chunked body. Where one ends that cannot be read nobody knows: nothing is read after it."""

    def read(self, size: int) -> bytes:
        try:
            return bytes(super().read(size))
        except (OSError, ParseException):
            self.req.force_close()
            raise

    def parse_chunk_size(self, unreader: Any, data: Any = None) -> Any:
        """What stands behind a size may hold no line feed: others would end the line there."""
        line = BytesIO(data or b"")
        line.seek(0, SEEK_END)
        while b"\r\n" not in line.getvalue():
            self.get_data(unreader, line)
        read = line.getvalue()
        if b"\n" in read[: read.index(b"\r\n")]:
            raise InvalidChunkExtension("bare LF not allowed")
        return super().parse_chunk_size(unreader, data=read)

    def get_data(self, unreader: Any, buf: Any) -> None:
        if buf.tell() > _BETWEEN_CHUNKS_BYTES:
            raise InvalidChunkSize(b"")
        super().get_data(unreader, buf)


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
        super().set_body_reader()
        if isinstance(self.body.reader, ChunkedReader):
            self.body: Any = Body(_Chunks(self, self.unreader))


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
