"""One attempt, against servers that behave and servers that do not."""

from __future__ import annotations

import base64
import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import responses

from signal_bridge.delivery.webhooks.addresses import Rules
from signal_bridge.delivery.webhooks.post import Limits, Poster, post_once
from signal_bridge.delivery.webhooks.webhook import Webhook
from tests.support import eventually
from tests.webhooks.receiver import Handler, Post, Receiver, status
from tests.webhooks.test_signature import SECRET, verifies

BODY = b'{"seq":1}'


def webhook(url: str, **more: Any) -> Webhook:
    values: dict[str, Any] = {
        "id": "wh_1", "account": "+49", "name": "", "url": url, "types": (), "senders": (),
        "format": "standard", "headers": {}, "secret": SECRET, "old_secret": "",
        "old_secret_ends_ms": 0, "state": "active", "detail": "", "created_ms": 0, "position": 0,
    }  # fmt: skip
    return Webhook(**{**values, **more})


@pytest.fixture
def poster() -> Iterator[Poster]:
    poster = Poster(Rules(), Limits(connect_seconds=2, read_seconds=1, whole_seconds=2))
    yield poster
    poster.close()


def test_what_is_posted(poster: Poster, receiver: Receiver) -> None:
    attempt = poster.post(webhook(receiver.url), "evt_1", BODY)
    assert (attempt.status, attempt.error, attempt.answer) == (204, "", "")
    [post] = receiver.posts
    assert post.path == "/hook"
    assert post.body == BODY
    assert post.headers["content-type"] == "application/json"
    assert post.headers["user-agent"].startswith("Signal-Bridge/")
    assert post.headers["signal-bridge-hop"] == "1"
    assert post.id == "evt_1"
    assert verifies(SECRET, post.headers, post.body)


def test_headers_of_the_webhook_are_added(poster: Poster, receiver: Receiver) -> None:
    headers = {"Authorization": "Bearer t", "X-Env": "1", "User-Agent": "mine"}
    poster.post(webhook(receiver.url, headers=headers), "evt_1", BODY)
    sent = receiver.posts[0].headers
    assert (sent["authorization"], sent["x-env"]) == ("Bearer t", "1")
    assert sent["user-agent"] == "mine"


def test_no_header_of_the_webhook_is_in_the_place_of_ours(
    poster: Poster, receiver: Receiver
) -> None:
    """Though none is accepted, a row of the table may have one."""
    headers = {"signal-bridge-HOP": "none", "content-type": "text/plain"}
    poster.post(webhook(receiver.url, headers=headers), "evt_1", BODY)
    sent = receiver.posts[0].headers
    assert (sent["signal-bridge-hop"], sent["content-type"]) == ("1", "application/json")


def test_a_password_in_the_url_is_sent_as_basic(poster: Poster, receiver: Receiver) -> None:
    url = receiver.url.replace("http://", "http://bot:geheim@")
    poster.post(webhook(url), "evt_1", BODY)
    expected = base64.b64encode(b"bot:geheim").decode()
    assert receiver.posts[0].headers["authorization"] == f"Basic {expected}"


def test_the_old_secret_signs_too_while_it_may(poster: Poster, receiver: Receiver) -> None:
    old = SECRET.replace("M", "N")
    for ends_ms in (2**45, 1):
        poster.post(
            webhook(receiver.url, old_secret=old, old_secret_ends_ms=ends_ms), "evt_1", BODY
        )
    rotating, rotated = (post.headers for post in receiver.posts)
    assert verifies(old, rotating, BODY)
    assert verifies(SECRET, rotating, BODY)
    assert not verifies(old, rotated, BODY)


def test_one_connection_serves_many_attempts(poster: Poster, receiver: Receiver) -> None:
    receiver.answers = [status(200, b"thanks"), status(500, b"x" * 100), status(204)]
    statuses = [poster.post(webhook(receiver.url), "evt_1", BODY).status for _ in range(4)]
    assert statuses == [200, 500, 204, 204]
    assert len({post.client_port for post in receiver.posts}) == 1


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(poster: Poster, receiver: Receiver, code: int) -> None:
    receiver.answers = [status(code, b"elsewhere", Location=receiver.url + "/other")]
    assert poster.post(webhook(receiver.url), "evt_1", BODY).status == code
    assert [post.path for post in receiver.posts] == ["/hook"]


def test_cookies_are_not_kept(poster: Poster, receiver: Receiver) -> None:
    receiver.otherwise = status(200, b"", Set_Cookie="a=b")
    for _ in range(2):
        poster.post(webhook(receiver.url), "evt_1", BODY)
    assert all("cookie" not in post.headers for post in receiver.posts)


def test_of_the_answer_its_size_is_kept(poster: Poster, receiver: Receiver) -> None:
    receiver.answers = [status(200, b"geheim"), status(404, b"x" * 5000), status(204)]
    attempts = [poster.post(webhook(receiver.url), "evt_1", BODY) for _ in range(3)]
    assert [(one.answer, one.answer_bytes) for one in attempts] == [("", 6), ("", 4096), ("", 0)]


def test_the_beginning_of_the_answer_is_kept_where_it_is_shown(receiver: Receiver) -> None:
    poster = Poster(Rules(shows_answers=True))
    receiver.answers = [status(422, "nö\0".encode() + b"\xff" + b"x" * 3000)]
    attempt = poster.post(webhook(receiver.url), "evt_1", BODY)
    poster.close()
    assert attempt.answer.startswith("nö\ufffd\ufffdxxx")
    assert len(attempt.answer) == 1000


def test_a_huge_answer_is_not_read(poster: Poster, receiver: Receiver) -> None:
    written = threading.Event()

    def flood(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(2**40))
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 65536)
                handler.wfile.flush()
        finally:
            written.set()

    receiver.answers = [flood]
    attempt = poster.post(webhook(receiver.url), "evt_1", BODY)
    assert attempt.status == 200
    assert written.wait(10), "the receiver can still write"
    assert poster.post(webhook(receiver.url), "evt_2", BODY).status == 204


def test_a_zipped_answer_is_not_unpacked(receiver: Receiver) -> None:
    poster = Poster(Rules(shows_answers=True))
    receiver.answers = [status(200, b"not gzip at all", Content_Encoding="gzip")]
    assert poster.post(webhook(receiver.url), "evt_1", BODY).answer == "not gzip at all"
    poster.close()


def test_retry_after_is_read(poster: Poster, receiver: Receiver) -> None:
    receiver.answers = [status(429, Retry_After="7"), status(503, Retry_After="never")]
    assert poster.post(webhook(receiver.url), "evt_1", BODY).retry_after_seconds == 7.0
    assert poster.post(webhook(receiver.url), "evt_1", BODY).retry_after_seconds is None


def test_silence_ends(poster: Poster, receiver: Receiver) -> None:
    release = threading.Event()
    receiver.answers = [lambda _: (release.wait(20), None)[1]]
    attempt = poster.post(webhook(receiver.url), "evt_1", BODY)
    release.set()
    assert (attempt.status, attempt.error) == (0, "no answer within 1 s")


def test_an_answer_without_an_end_is_ended(poster: Poster, receiver: Receiver) -> None:
    release = threading.Event()

    def go_on(handler: Handler) -> None:
        while not release.wait(0.05):
            handler.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            handler.wfile.flush()

    receiver.answers = [go_on]
    watch = threading.Event()

    def guard() -> None:
        while not watch.wait(0.1):
            poster.end_if_overdue()

    threading.Thread(target=guard, daemon=True).start()
    attempt = poster.post(webhook(receiver.url), "evt_1", BODY)
    watch.set()
    release.set()
    assert (attempt.status, attempt.error) == (0, "no whole answer within 2 s")


def test_a_body_that_drips_does_not_undo_the_status(poster: Poster, receiver: Receiver) -> None:
    release = threading.Event()

    def stall(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "10")
        handler.end_headers()
        handler.wfile.write(b"x")
        handler.wfile.flush()
        release.wait(20)

    receiver.answers = [stall]
    attempt = poster.post(webhook(receiver.url), "evt_1", BODY)
    release.set()
    assert attempt.status == 200


def test_an_attempt_can_be_ended_from_outside(receiver: Receiver) -> None:
    release, poster = threading.Event(), Poster(Rules())
    receiver.answers = [lambda _: (release.wait(20), None)[1]]
    outcome: list[Any] = []
    thread = threading.Thread(
        target=lambda: outcome.append(poster.post(webhook(receiver.url), "evt_1", BODY))
    )
    thread.start()
    receiver.wait_for(1)
    poster.end()
    thread.join(10)
    release.set()
    assert outcome[0].status == 0
    assert "the connection ended without an answer" in outcome[0].error


def raw_server(answer: Callable[[socket.socket], None]) -> str:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _ = listener.accept()
        client.recv(65536)
        answer(client)
        client.close()
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/"


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200]
)
def test_nonsense_is_no_answer(poster: Poster, answer: bytes) -> None:
    attempt = poster.post(webhook(raw_server(lambda one: one.sendall(answer))), "evt_1", BODY)
    assert attempt.status == 0
    assert attempt.error


# What a server may say instead of an answer; none of it is the caller's to hear.
_OTHER_SERVERS = {
    "another protocol": b"SSH-2.0-OpenSSH_9.2p1 geheim\r\n",
    "an error of a data base": b"-ERR unknown command geheim\r\n" * 3,
    "a version that is none": b"HTTP/geheim 200 OK\r\n\r\n",
    "a status that is none": b"HTTP/1.1 geheim OK\r\n\r\n",
    "a field that is none": b"HTTP/1.1 200\r\ngeheim\r\n\r\n",
    "a chunk that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\ngeheim\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1, geheim\r\n\r\nx",
    "a place": b"HTTP/1.1 302 geheim\r\nLocation: http://geheim:x\r\nContent-Length: 0\r\n\r\n",
    "a cookie": b"HTTP/1.1 200 geheim\r\nSet-Cookie: geheim\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("what", _OTHER_SERVERS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nothing_that_another_server_says_is_told(
    poster: Poster, what: str, scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    url = raw_server(lambda one: one.sendall(_OTHER_SERVERS[what])).replace("http", scheme, 1)
    attempt = poster.post(webhook(url), "evt_1", BODY)
    assert attempt.error or attempt.status
    assert "geheim" not in attempt.error
    assert "geheim" not in attempt.answer


def without_end(start: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """Says `start`, and then `piece` again and again for as long as somebody listens."""

    def go_on(client: socket.socket) -> None:
        try:
            client.sendall(start)
            while True:
                client.sendall(piece)
        except OSError:
            return

    return go_on


_OK = b"HTTP/1.1 200 OK\r\n"
_HEADS_WITHOUT_END = {
    "a first line": (b"HTTP/1.1 200 ", b"x" * 65536),
    "a field": (_OK + b"A: ", b"x" * 65536),
    "a field's name": (_OK, b"x" * 65536),
    "folded lines": (_OK + b"A: b\r\n", b" c\r\n" * 9999),
    "fields": (_OK, b"A: b\r\n" * 9999),
    "short fields": (_OK, b"a:\r\n" * 9999),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99),
    "interim answers with fields": (b"", b"HTTP/1.1 100\r\n" + b"A: b\r\n" * 90 + b"\r\n"),
}


@pytest.mark.parametrize("what", _HEADS_WITHOUT_END)
def test_a_head_without_an_end_is_no_answer(what: str, receiver: Receiver) -> None:
    """Much sooner than the time for an answer is over."""
    poster = Poster(Rules(), Limits(read_seconds=60, whole_seconds=60))
    attempt = poster.post(webhook(raw_server(without_end(*_HEADS_WITHOUT_END[what]))), "e", BODY)
    assert attempt.status == 0
    assert "within 60 s" not in attempt.error
    assert attempt.error
    assert poster.post(webhook(receiver.url), "evt_2", BODY).status == 204
    poster.close()


_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
_BODIES_WITHOUT_END = {
    "a body": (_OK + b"\r\n", b"x" * 65536),
    "a body of a length": (_OK + b"Content-Length: 999999999999\r\n\r\n", b"x" * 65536),
    "a chunk's length": (_CHUNKED, b"0" * 65536),
    "a chunk's extension": (_CHUNKED + b"1;", b"x" * 65536),
    "small chunks": (_CHUNKED, b"1\r\nx\r\n" * 9999),
    "a trailer": (_CHUNKED + b"1\r\nx\r\n0\r\n", b"A: b\r\n" * 9999),
    "zipped zeros": (_OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(bytes(2**20))),
}


@pytest.mark.parametrize("what", _BODIES_WITHOUT_END)
def test_a_body_without_an_end_does_not_undo_the_status(what: str, receiver: Receiver) -> None:
    poster = Poster(Rules(), Limits(read_seconds=60, whole_seconds=60))
    url = raw_server(without_end(*_BODIES_WITHOUT_END[what]))
    assert poster.post(webhook(url), "evt_1", BODY).status == 200
    assert poster.post(webhook(receiver.url), "evt_2", BODY).status == 204
    poster.close()


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1:1/", "no connection: Connection refused"),
        ("http://169.254.169.254/", "the receiver's address is refused (169.254.169.254: "
                                    "it is a link-local address)"),
        ("http://[::ffff:a9fe:a9fe]/", "the receiver's address is refused"),
        ("http://2852039166/", "the receiver's address is refused"),
        ("http://no-such-name.invalid/", "the receiver's name cannot be resolved"),
        (f"http://{'a' * 64}.test/", ""),
        ("http://a..b/", ""),
    ],
)  # fmt: skip
def test_what_went_wrong_is_said(poster: Poster, url: str, error: str) -> None:
    attempt = poster.post(webhook(url + "?token=geheim"), "evt_1", BODY)
    assert attempt.status == 0
    assert attempt.error.startswith(error)
    assert attempt.error
    assert "geheim" not in attempt.error


def test_tls_that_fails_is_said(poster: Poster, receiver: Receiver) -> None:
    attempt = poster.post(webhook(receiver.url.replace("http:", "https:")), "evt_1", BODY)
    assert attempt.status == 0
    assert attempt.error.startswith("TLS failed: ")


def test_proxies_of_the_environment_are_not_used(
    poster: Poster, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert poster.post(webhook(receiver.url), "evt_1", BODY).status == 204


@responses.activate
def test_every_error_of_the_client_is_an_attempt(poster: Poster) -> None:
    for error in (
        requests.ConnectionError("at http://a/?token=geheim"),
        requests.exceptions.ChunkedEncodingError("geheim"),
        requests.exceptions.InvalidURL("geheim"),
        requests.TooManyRedirects("geheim"),
        OSError("geheim"),
    ):
        responses.add(responses.POST, "https://bot.test/hook", body=error)
        attempt = poster.post(webhook("https://bot.test/hook"), "evt_1", BODY)
        responses.reset()
        assert attempt.status == 0
        assert attempt.error
        assert "geheim" not in attempt.error


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_connecting_ends_with_the_attempt(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of many addresses, none of which answers, and TLS without an answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda *given, **more: (
                real("127.0.0.1", *given[1:], **more) * (99 if given[0] == "bot.test" else 1)
            ),
        )
        poster = Poster(Rules(), Limits(connect_seconds=60, read_seconds=1, whole_seconds=1))
        for _ in range(4):  # until its queue is full
            attempt = poster.post(webhook(f"{scheme}://bot.test:{port}/"), "evt_1", BODY)
            assert (attempt.status, attempt.error) == (0, "no whole answer within 1 s")


def test_name_servers_that_do_not_answer_hold_up_no_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [gate.wait(60)][:0])
    poster = Poster(Rules(), Limits(whole_seconds=1))
    attempt = poster.post(webhook("http://bot.test/"), "evt_1", BODY)
    assert (attempt.status, attempt.error) == (0, "no whole answer within 1 s")
    gate.set()


def test_an_attempt_that_was_ended_connects_no_more(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, poster = socket.getaddrinfo, Poster(Rules())

    def resolve(*arguments: Any, **options: Any) -> Any:
        poster.end()
        return real(*arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    attempt = poster.post(webhook(receiver.url.replace("127.0.0.1", "localhost")), "evt_1", BODY)
    assert (attempt.status, receiver.posts) == (0, [])


def test_a_single_attempt_leaves_nothing_behind(receiver: Receiver) -> None:
    before = threading.active_count()
    attempt = post_once(Rules(), webhook(receiver.url), "evt_1", BODY, threading.Event())
    assert attempt.status == 204
    eventually(lambda: threading.active_count() <= before, what="its thread is gone")
    assert isinstance(receiver.posts[0], Post)


def test_what_nobody_expected_of_a_single_attempt_is_raised() -> None:
    with pytest.raises(TypeError):
        post_once(Rules(), webhook("http://bot.test/", headers=3), "evt_1", BODY, threading.Event())


def test_a_stop_waits_for_no_single_attempt(receiver: Receiver) -> None:
    stop, gate = threading.Event(), threading.Event()

    def hold(handler: Handler) -> None:
        stop.set()
        gate.wait(60)
        status(204)(handler)

    receiver.otherwise = hold
    attempt = post_once(Rules(), webhook(receiver.url), "evt_1", BODY, stop)
    gate.set()
    assert (attempt.status, attempt.error) == (0, "the bridge is stopping")


def test_nor_for_name_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, gate = threading.Event(), threading.Event()

    def resolve(*_: Any, **__: Any) -> list[Any]:
        stop.set()
        gate.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    attempt = post_once(Rules(), webhook("http://bot.test/"), "evt_1", BODY, stop)
    gate.set()
    assert (attempt.status, attempt.error) == (0, "the bridge is stopping")
