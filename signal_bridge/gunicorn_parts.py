"""What Gunicorn does not document and the bridge needs all the same. All of it is here.

Read from Gunicorn 26.2.0. `tests/test_gunicorn_parts.py` fails when another version is installed,
or when one of these has another shape: then read them again in the new one.

    ThreadWorker.handle, TConn            to refuse a TLS client at once
    ThreadWorker.set_accept_enabled       to hear of the beginning of a stop
    ThreadWorker.finish_request, enqueue_req, Parser.unreader
                                          to serve a request that came together with the last
    ThreadWorker.handle_request, Body, ChunkedReader.get_data, force_close
                                          to bound what is between chunks, and to trust none further
    keepalived_conns, pending_conns …     so that a stop waits for no idle connection
    Worker.handle_error's log line        quotes what it could not read, which may be a message
    Worker.handle_error, http.errors      to answer a head that cannot be read as JSON, by its limit
    http.message._check_fast_parser       to say which HTTP parser runs
    environ["gunicorn.socket"]            to wait for a client's end, and to speak WebSocket
    http.parser._DRAIN_MAX_BYTES          how much of an unread body it reads by itself
    StopIteration from the application    to end such a connection without an answer
"""

from __future__ import annotations

import contextlib
import json
import secrets
from socket import MSG_PEEK
from typing import Any, Final, NoReturn

from gunicorn.glogging import Logger
from gunicorn.http import message
from gunicorn.http.body import Body, ChunkedReader
from gunicorn.http.errors import (
    ConfigurationProblem,
    ExpectationFailed,
    InvalidChunkSize,
    InvalidRequestLine,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.util import write_nonblock
from gunicorn.workers import gthread

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

    def get_data(self, unreader: Any, buf: Any) -> None:
        if buf.tell() > _BETWEEN_CHUNKS_BYTES:
            raise InvalidChunkSize(b"")
        super().get_data(unreader, buf)


class PromptWorker(gthread.ThreadWorker):  # type: ignore[misc]
    """Gunicorn's gthread, which turns away TLS, and whose stop waits for requests alone."""

    def on_stop(self) -> None:
        """Called once, on the main thread, when the worker begins to stop."""

    def handle(self, conn: Any) -> Any:
        """Refuse a TLS client at once, so that it goes on to try HTTP, as signalbot does.

        Gunicorn's parser in Python would wait for the end of the line. Its own wait for the first
        bytes of a connection is made here, and then over.
        """
        if not conn.initialized:
            if not conn.wait_for_data(gthread.DEFAULT_WORKER_DATA_TIMEOUT):
                return gthread._DEFER
            if _speaks_tls(conn.sock):
                self.handle_error(None, conn.sock, conn.client, InvalidRequestLine("TLS"))
                return False
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Read a chunked body strictly. Nothing of it is read yet."""
        if isinstance(req.body.reader, ChunkedReader):
            req.body = Body(_Chunks(req, conn.parser.unreader))
        return super().handle_request(req, conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a head that cannot be read as every failure is, and name the limit that it broke.

        Gunicorn's own answer is HTML that quotes what it read.
        """
        if not isinstance(exc, ParseException) or isinstance(exc, ConfigurationProblem):
            super().handle_error(req, client, addr, exc)
            return
        status, reason, code, sentence = _refused_head(exc, self.cfg)
        request_id = secrets.token_hex(8)
        self.log.warning(f"{UNREADABLE_REQUEST}{addr[0] if addr else ''} {request_id} {code}")
        problem = {"error": sentence, "code": code, "retryable": False, "request_id": request_id}
        body = json.dumps(problem, separators=(",", ":"))
        head = (
            f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\n"
            "Content-Type: application/json; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nX-Request-ID: {request_id}\r\n\r\n"
        )
        with contextlib.suppress(OSError):
            write_nonblock(client, (head + body).encode())

    def set_accept_enabled(self, enabled: bool) -> None:
        """Gunicorn counts a kept-alive connection as work.

        One that a proxy holds open would make every stop take the whole graceful_timeout.
        """
        super().set_accept_enabled(enabled)
        if not self.alive:  # once, at the beginning of the stop
            self.on_stop()
            self.wait_for_and_dispatch_events(timeout=0)  # a request that is here is served
            for idle in (*self.keepalived_conns, *self.pending_conns):
                idle.timeout = 0.0
            self.murder_keepalived()
            self.murder_pending()

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Serve at once the next request that came together with the last (RFC 9112, 9.3.2).

        Gunicorn waits for the socket, from which it has read it already. It takes its turn among
        those of other connections.
        """
        is_kept_alive = not fs.cancelled() and fs.exception() is None and fs.result() is True
        if is_kept_alive and self.alive and _holds_request(conn.parser):
            self.enqueue_req(conn)
        else:
            super().finish_request(conn, fs)


def end_without_answer() -> NoReturn:
    """For an application that has answered on the socket itself: Gunicorn closes the connection.

    Raises StopIteration, which has to reach Gunicorn.
    """
    raise StopIteration


def parses_in_c(cfg: Any) -> bool:
    """Whether requests are parsed in C, asked the way Gunicorn does for each."""
    return bool(message._check_fast_parser(cfg))


def _refused_head(exc: BaseException, cfg: Any) -> tuple[int, str, str, str]:
    """The status with its name, a word and a sentence for a head that cannot be read."""
    if isinstance(exc, LimitRequestLine):
        limit = f"The request's first line is longer than {cfg.limit_request_line} bytes"
        return 414, "URI Too Long", "head_too_large", limit
    if isinstance(exc, LimitRequestHeaders):
        limit = (
            f"The request has more than {cfg.limit_request_fields} header fields,"
            f" or one of more than {cfg.limit_request_field_size} bytes"
        )
        return 431, "Request Header Fields Too Large", "head_too_large", limit
    if isinstance(exc, UnsupportedTransferCoding):
        return 501, "Not Implemented", "bad_head", "Of Transfer-Encodings only chunked is read"
    if isinstance(exc, ExpectationFailed):
        return 417, "Expectation Failed", "bad_head", "Nothing is known but Expect: 100-continue"
    return 400, "Bad Request", "bad_head", "The head of the request is no HTTP/1.1"


def _speaks_tls(client: Any) -> bool:
    """Whether a connection that has bytes to read begins with a TLS handshake."""
    try:
        return bool(client.recv(1, MSG_PEEK) == b"\x16")
    except OSError:
        return False  # what is wrong with it is found out by whoever reads it


def _holds_request(parser: Any) -> bool:
    """Whether a whole head was read from the socket; for the rest of one, that is waited for."""
    return b"\r\n\r\n" in parser.unreader.buf.getvalue()
