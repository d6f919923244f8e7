"""What the bridge uses of Gunicorn without its promise is still what it was."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import message, parser
from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidRequestLine,
    LimitRequestHeaders,
    LimitRequestLine,
    UnsupportedTransferCoding,
)
from gunicorn.http.wsgi import default_environ
from gunicorn.workers import gthread
from gunicorn.workers.base import Worker

from signal_bridge.gunicorn_parts import (
    CLIENT_SOCKET,
    READ_FROM,
    UNREAD_REST_BYTES,
    UNREADABLE_REQUEST,
    DiscreetLogger,
    PromptWorker,
    end_without_answer,
    parses_in_c,
)
from tests.support.private_parts import PrivateParts

PARTS = PrivateParts("gunicorn", READ_FROM, "signal_bridge/gunicorn_parts.py")
TLS_HELLO = b"\x16\x03\x01"


class Log:
    """Gunicorn's logger, as far as a worker uses it here."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, text: str) -> None:
        self.lines.append(text)

    def debug(self, text: str, *_: Any) -> None:
        """Of no interest."""


class Stoppable(PromptWorker):
    """Counts its stops."""

    stops = 0

    def on_stop(self) -> None:
        self.stops += 1


@pytest.fixture
def worker() -> Iterator[Stoppable]:
    worker = Stoppable(1, 1, [], None, 30, Config(), Log())
    worker.poller = gthread.selectors.DefaultSelector()
    yield worker
    worker.poller.close()
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
        (gthread.ThreadWorker, "handle", ("self", "conn")),
        (gthread.ThreadWorker, "set_accept_enabled", ("self", "enabled")),
        (gthread.ThreadWorker, "finish_request", ("self", "conn", "fs")),
        (gthread.ThreadWorker, "enqueue_req", ("self", "conn")),
        (gthread.ThreadWorker, "wait_for_and_dispatch_events", ("self", "timeout")),
        (gthread.ThreadWorker, "murder_keepalived", ("self",)),
        (gthread.ThreadWorker, "murder_pending", ("self",)),
        (gthread.TConn, "wait_for_data", ("self", "timeout")),
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
    worker: Stoppable, pair: tuple[socket.socket, socket.socket]
) -> None:
    PARTS.assert_has(gthread, "DEFAULT_WORKER_DATA_TIMEOUT", "_DEFER")
    PARTS.assert_has(worker, "alive", "keepalived_conns", "pending_conns")
    PARTS.assert_has(connection(pair[1]), "initialized", "sock", "client", "timeout", "parser")


def test_of_an_unread_body_it_reads_much_less_than_we_do() -> None:
    PARTS.assert_that(parser._DRAIN_MAX_BYTES == 64 * 1024, "64 KiB of an unread body are read")
    assert parser._DRAIN_MAX_BYTES < UNREAD_REST_BYTES / 100


def test_the_environment_of_a_request_names_its_socket(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    request = SimpleNamespace(body=None, method="GET", query="", uri="/", version=(1, 1))
    environ = default_environ(request, pair[1], Config())
    PARTS.assert_that(environ[CLIENT_SOCKET] is pair[1], "an environment holds gunicorn.socket")


def test_a_request_that_cannot_be_read_is_logged_without_what_it_says(
    worker: Stoppable, pair: tuple[socket.socket, socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    Worker.handle_error(worker, None, pair[1], ("127.0.0.1", 1), InvalidRequestLine("SESAME"))
    [line] = worker.log.lines
    PARTS.assert_that(line.startswith(f"{UNREADABLE_REQUEST}127.0.0.1: "), "the log line begins so")
    logger = DiscreetLogger(Config())
    logger.error_log.propagate = True
    logger.warning(line)
    assert caplog.messages == [f"{UNREADABLE_REQUEST}127.0.0.1"]


@pytest.mark.parametrize(
    ("error", "status", "code", "words"),
    [
        (LimitRequestLine(9000, 4094), 414, "head_too_large", "longer than 4094 bytes"),
        (LimitRequestHeaders("fields"), 431, "head_too_large", "100 header fields, or one of more"),
        (InvalidRequestLine("SESAME"), 400, "bad_head", "no HTTP/1.1"),
        (UnsupportedTransferCoding("SESAME"), 501, "bad_head", "only chunked is read"),
        (ExpectationFailed("SESAME"), 417, "bad_head", "Expect: 100-continue"),
    ],
)
def test_a_head_that_cannot_be_read_is_answered_as_every_failure(
    worker: Stoppable,
    pair: tuple[socket.socket, socket.socket],
    error: Exception,
    status: int,
    code: str,
    words: str,
) -> None:
    client, server = pair
    worker.handle_error(None, server, ("127.0.0.1", 1), error)
    head, _, body = client.recv(65536).decode().partition("\r\n\r\n")
    problem = json.loads(body)
    assert head.startswith(f"HTTP/1.1 {status} ")
    assert f"X-Request-ID: {problem['request_id']}" in head
    assert (problem["code"], problem["retryable"]) == (code, False)
    assert words in problem["error"]
    [line] = worker.log.lines
    assert line == f"{UNREADABLE_REQUEST}127.0.0.1 {problem['request_id']} {code}"


def test_a_connection_can_be_ended_without_an_answer(
    worker: Stoppable,
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


def test_a_client_of_tls_is_refused(
    worker: Stoppable, pair: tuple[socket.socket, socket.socket]
) -> None:
    client, server = pair
    client.sendall(TLS_HELLO)
    assert worker.handle(connection(server)) is False
    assert client.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_silent_client_is_given_back_to_the_poller(
    worker: Stoppable,
    pair: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gthread, "DEFAULT_WORKER_DATA_TIMEOUT", 0)
    assert worker.handle(connection(pair[1])) is gthread._DEFER


def test_what_was_read_of_the_next_request_is_in_the_unreader(
    worker: Stoppable,
    pair: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, server = pair
    head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    client.sendall(head + head)
    monkeypatch.setattr(worker, "handle_request", lambda *_: True)
    kept = connection(server)
    PARTS.assert_that(worker.handle(kept) is True, "a connection that is kept alive is True")
    buffered = kept.parser.unreader.buf.getvalue()
    PARTS.assert_that(buffered == head, "Parser.unreader.buf holds what was read too far")


def test_a_stop_is_told_and_closes_idle_connections(
    worker: Stoppable, pair: tuple[socket.socket, socket.socket]
) -> None:
    client, server = pair
    idle = connection(server)
    idle.set_timeout()
    worker.keepalived_conns.append(idle)
    worker.nr_conns = 1
    worker.set_accept_enabled(True)
    assert worker.stops == 0
    worker.alive = False
    worker.set_accept_enabled(False)
    assert worker.stops == 1
    assert worker.nr_conns == 0
    assert client.recv(1) == b""


def test_which_parser_runs_can_be_asked() -> None:
    config = Config()
    config.set("http_parser", "python")
    assert not parses_in_c(config)
