"""What the bridge uses of Gunicorn without its promise is still what it was."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import message, parser
from gunicorn.http.body import Body, ChunkedReader
from gunicorn.http.errors import InvalidRequestLine, UnsupportedTransferCoding
from gunicorn.http.unreader import Unreader
from gunicorn.http.wsgi import default_environ
from gunicorn.workers import gthread
from gunicorn.workers.base import Worker

from signal_bridge.gunicorn_parts import (
    CLIENT_SOCKET,
    READ_FROM,
    UNREADABLE_REQUEST,
    UNREADABLE_TRAILER,
    DiscreetLogger,
    end_without_answer,
    parses_in_c,
    strict_parser,
)
from tests.support.private_parts import PrivateParts

PARTS = PrivateParts("gunicorn", READ_FROM, "signal_bridge/gunicorn_parts.py")


class Log:
    """Gunicorn's logger, as far as a worker uses it here."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, text: str) -> None:
        self.lines.append(text)

    def debug(self, text: str, *_: Any) -> None:
        """Of no interest."""


@pytest.fixture
def worker() -> Iterator[gthread.ThreadWorker]:
    worker = gthread.ThreadWorker(1, 1, [], None, 30, Config(), Log())
    yield worker
    worker.tmp.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """The client's end of a connection, and the worker's."""
    client, server = socket.socketpair()
    client.settimeout(10)
    yield client, server
    client.close()
    server.close()


def connection(server: socket.socket) -> gthread.TConn:
    return gthread.TConn(Config(), server, ("127.0.0.1", 1), ("127.0.0.1", 2))


def test_the_version_that_was_read_is_installed_and_pinned() -> None:
    PARTS.assert_version()


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (gthread.ThreadWorker, "accept", ("self", "listener")),
        (gthread.ThreadWorker, "handle", ("self", "conn")),
        (gthread.ThreadWorker, "handle_request", ("self", "req", "conn")),
        (gthread.ThreadWorker, "_keepalive_after", ("self", "conn", "keepalive")),
        (gthread.ThreadWorker, "set_accept_enabled", ("self", "enabled")),
        (gthread.ThreadWorker, "finish_request", ("self", "conn", "fs")),
        (gthread.ThreadWorker, "wait_for_and_dispatch_events", ("self", "timeout")),
        (gthread.ThreadWorker, "murder_keepalived", ("self",)),
        (gthread.ThreadWorker, "murder_pending", ("self",)),
        (gthread.ThreadWorker, "get_thread_pool", ("self",)),
        (gthread.ThreadWorker, "check_config", ("cfg", "log")),
        (gthread.TConn, "__init__", ("self", "cfg", "sock", "client", "server")),
        (gthread.PollableMethodQueue, "defer", ("self", "callback", "args")),
        (parser.RequestParser, "__init__", ("self", "cfg", "source", "source_addr")),
        (Unreader, "take_buffered", ("self",)),
        (ChunkedReader, "get_data", ("self", "unreader", "buf")),
        (ChunkedReader, "parse_chunk_size", ("self", "unreader", "data")),
        (ChunkedReader, "parse_trailers", ("self", "unreader", "data")),
        (ChunkedReader, "read", ("self", "size")),
        (Body, "__init__", ("self", "reader")),
        (Body, "read", ("self", "size")),
        (message.Request, "set_body_reader", ("self",)),
        (message.Request, "force_close", ("self",)),
        (Worker, "handle_error", ("self", "req", "client", "addr", "exc")),
        (Logger, "access", ("self", "resp", "req", "environ", "request_time")),
        (Logger, "warning", ("self", "msg", "args", "kwargs")),
        (message, "_check_fast_parser", ("cfg",)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_called_or_replaced_takes_the_same(
    owner: Any, name: str, parameters: tuple[str, ...]
) -> None:
    PARTS.assert_takes(owner, name, *parameters)


def test_what_is_read_is_there(
    worker: gthread.ThreadWorker, pair: tuple[socket.socket, socket.socket]
) -> None:
    PARTS.assert_has(worker, "alive", "nr_conns", "max_keepalived", "worker_connections")
    PARTS.assert_has(worker, "poller", "tpool", "method_queue")
    PARTS.assert_has(connection(pair[1]), "initialized", "data_ready", "sock", "client", "parser")


def test_the_environment_of_a_request_names_its_socket(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    request = SimpleNamespace(body=None, method="GET", query="", uri="/", version=(1, 1))
    request.body = body = object()
    environ = default_environ(request, pair[1], Config())
    PARTS.assert_that(environ["wsgi.input"] is body, "wsgi.input is the request's body")
    PARTS.assert_that(environ[CLIENT_SOCKET] is pair[1], "an environment holds gunicorn.socket")


def test_a_request_that_cannot_be_read_is_logged_without_what_it_says(
    worker: gthread.ThreadWorker,
    pair: tuple[socket.socket, socket.socket],
    caplog: pytest.LogCaptureFixture,
) -> None:
    Worker.handle_error(worker, None, pair[1], ("127.0.0.1", 1), InvalidRequestLine("SESAME"))
    [line] = worker.log.lines
    PARTS.assert_that(line.startswith(f"{UNREADABLE_REQUEST}127.0.0.1: "), "the log line begins so")
    logger = DiscreetLogger(Config())
    logger.error_log.propagate = True
    logger.warning(line)
    assert caplog.messages == [f"{UNREADABLE_REQUEST}127.0.0.1"]


def test_a_connection_can_be_ended_without_an_answer(
    worker: gthread.ThreadWorker,
    pair: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, server = pair
    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    monkeypatch.setattr(worker, "handle_request", lambda *_: end_without_answer())
    done = worker.handle(connection(server))
    PARTS.assert_that(done is False, "StopIteration ends a connection")
    server.close()
    PARTS.assert_that(client.recv(1) == b"", "nothing is written after StopIteration")


# -- the parser --------------------------------------------------------------------------------

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"


class Source:
    """Gives a parser what it is made of, as a socket gives it what has arrived."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def recv(self, size_bytes: int) -> bytes:
        data, self.data = self.data[:size_bytes], self.data[size_bytes:]
        return data


@pytest.fixture(params=["python", "fast"])
def config(request: pytest.FixtureRequest) -> Config:
    if request.param == "fast":
        pytest.importorskip("gunicorn_h1c")
    config = Config()
    config.set("http_parser", request.param)
    return config


def parsed(config: Config, data: bytes) -> tuple[Any, Any]:
    parser = strict_parser(config, Source(data), ("127.0.0.1", 1))
    return next(parser), parser


def test_what_was_read_of_the_next_request_is_in_the_unreader(config: Config) -> None:
    _request, parser = parsed(config, HEAD + b"\r\n" + HEAD + b"\r\n")
    rest = parser.unreader.take_buffered()
    PARTS.assert_that(rest == HEAD + b"\r\n", "Unreader.take_buffered gives what was read too far")


def test_a_connection_on_which_others_may_read_another_field_is_not_kept(config: Config) -> None:
    request, _parser = parsed(config, HEAD + b"Content_Length: 2\r\n\r\n")
    assert request.should_close()
    assert request.headers == [("HOST", "a")]
    request, _parser = parsed(config, HEAD + b"X-Length: a_b\r\n\r\n")
    assert not request.should_close()


@pytest.mark.parametrize(
    "chunks",
    [b"2;\nxx\r\n{}\r\n0\r\n\r\n", b"2\n\r\n{}\r\n0\r\n\r\n", b"2\r\n{}\r\n0;a=\n\r\n\r\n",
     b"2;a\x00\r\n{}\r\n0\r\n\r\n", b"2;a\x7f\r\n{}\r\n0\r\n\r\n", b"2;\r\n{}\r\n0\r\n\r\n",
     b'2;a="\x00"\r\n{}\r\n0\r\n\r\n', b'2;a="b\r\n{}\r\n0\r\n\r\n', b"2 \r\n{}\r\n0\r\n\r\n",
     b"2\r\n{}\n0\r\n\r\n", b"2\r\n{}\r\n0\r\nA: b\n\r\n\r\n", b"2\r\n{}\r\n0\r\n\nA: b\r\n\r\n"],
)  # fmt: skip
def test_nothing_is_between_chunks_that_others_may_read_differently(
    config: Config, chunks: bytes
) -> None:
    request, _parser = parsed(config, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    with pytest.raises((OSError, UNREADABLE_TRAILER)):
        request.body.read()
    assert request.should_close()


@pytest.mark.parametrize("coding", ["identity", "gzip", "gzip, chunked", "identity, chunked", ""])
def test_of_codings_only_chunks_are_read(config: Config, coding: str) -> None:
    fields = f"Content-Length: 2\r\nTransfer-Encoding: {coding}\r\n\r\n"
    with pytest.raises(UnsupportedTransferCoding):
        parsed(config, HEAD + fields.encode() + b"{}")


def test_chunks_are_read_with_their_extensions(config: Config) -> None:
    chunks = b'2;a=b ; c = "\\"\xe9; d"\r\n{}\r\n01\r\n \r\n0;e\r\nX-A: b\r\n\r\n'
    request, _parser = parsed(config, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert request.body.read() == b"{} "
    assert not request.should_close()


@pytest.mark.parametrize(
    ("rest_bytes", "is_kept"), [(0, True), (5000, True), (60_000, True), (70_000, False)]
)
def test_a_connection_is_kept_after_a_short_body_that_nobody_wants(
    config: Config, rest_bytes: int, is_kept: bool
) -> None:
    data = HEAD + f"Content-Length: {rest_bytes}\r\n\r\n".encode() + b"x" * rest_bytes
    request, _parser = parsed(config, data + HEAD)
    request.body.discard()
    assert request.should_close() is not is_kept


def test_extensions_are_short_in_all(config: Config) -> None:
    chunks = (b"1;a=%b\r\n \r\n" % (b"x" * 1000)) * 70 + b"0\r\n\r\n"
    request, _parser = parsed(config, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    with pytest.raises(OSError):
        request.body.read()
    assert request.should_close()


def test_which_parser_runs_can_be_asked() -> None:
    config = Config()
    config.set("http_parser", "python")
    assert not parses_in_c(config)
