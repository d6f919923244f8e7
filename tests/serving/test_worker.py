"""A real worker behind real sockets: `signal-bridge serve`, with eight threads."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.journeys import http
from tests.support import Bridge, Process, eventually

GET = b"GET /v1/about HTTP/1.1\r\nHost: x\r\n\r\n"
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
HALF = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Half: a"
SLOW_BODY = b"POST /v2/send HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + b" " * 70_000
CHUNKED = b"POST /v1/search HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
WAITING = b"POST /v2/send HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
LARGEST_BODY_BYTES = 40_000_000


@pytest.fixture(scope="module")
def bridge() -> Iterator[Bridge]:
    with Bridge(
        MODE="sandbox",
        BRIDGE_THREADS=8,
        BRIDGE_MAX_BODY_BYTES=LARGEST_BODY_BYTES,
        BRIDGE_MAX_ATTACHMENT_BYTES=LARGEST_BODY_BYTES,
    ) as bridge:
        yield bridge.wait_ready()


@contextlib.contextmanager
def many(bridge: Bridge, count: int, data: bytes) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        those = [stack.enter_context(http.connect(bridge)) for _ in range(count)]
        for one in those:
            one.sendall(data)
        yield those


def answers(connection: socket.socket, count: int) -> bytes:
    """What comes until there are so many answers, or the end of the connection."""
    got = b""
    while got.count(b"HTTP/1.1 ") < count or not got.endswith(b"}"):
        data = connection.recv(65536)
        if not data:
            break
        got += data
    return got


def problem(text: bytes) -> dict[str, object]:
    return dict(json.loads(text))


@pytest.mark.parametrize("data", [b"", HALF, SLOW_BODY[:-70_000]], ids=["", "head", "body"])
def test_whoever_sends_half_a_request_holds_nobody_up(bridge: Bridge, data: bytes) -> None:
    with many(bridge, 40, data):
        assert bridge.get("/v1/about", timeout=5).status_code == 200


def test_probes_are_answered_while_every_place_for_long_bodies_is_held(bridge: Bridge) -> None:
    with many(bridge, 20, SLOW_BODY):
        assert bridge.get("/livez", timeout=5).status_code == 200
        assert bridge.get("/readyz", timeout=5).status_code == 200
        assert bridge.get("/v1/about", timeout=5).status_code == 200


def test_half_a_head_is_cut_off_with_an_answer_and_silence_without(bridge: Bridge) -> None:
    with many(bridge, 1, HALF) as [half], many(bridge, 1, b"") as [silent]:
        status, text = http.answer(half)
        assert (status, problem(text)["code"]) == (408, "incomplete_request")
        assert "10 seconds" in str(problem(text)["error"])
        assert http.answer(silent) == (0, b"")


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"\x16\x03\x01", 400, "bad_head"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "bad_head"),
        (b"GET / HTTP/1.1\nHost: x\n\n", 400, "bad_head"),
        (b"GET /" + b"x" * 9000, 414, "head_too_large"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 12_000, 431, "head_too_large"),
    ],
)
def test_what_becomes_no_request_is_refused_before_it_has_ended(
    bridge: Bridge, data: bytes, status: int, code: str
) -> None:
    with many(bridge, 1, data) as [connection]:
        found, text = http.answer(connection)
        assert (found, problem(text)["code"], problem(text)["retryable"]) == (status, code, False)


def test_requests_that_come_together_are_answered_in_order(bridge: Bridge) -> None:
    chunked = CHUNKED.replace(b"/v1/search", b"/nowhere") + b"2\r\n{}\r\n0\r\n\r\n"
    with many(bridge, 1, GET + chunked + LIVEZ) as [connection]:
        got = answers(connection, 3)
    first, second, third = got.split(b"HTTP/1.1 ")[1:]
    assert b'"versions"' in first
    assert second.startswith(b"404 ")
    assert b'"alive"' in third


def test_a_request_may_come_in_pieces(bridge: Bridge) -> None:
    with http.connect(bridge) as connection:
        for piece in (GET[:7], GET[7:30], GET[30:] + LIVEZ[:5], LIVEZ[5:]):
            connection.sendall(piece)
            time.sleep(0.05)
        assert b'"alive"' in answers(connection, 2)


def test_a_client_that_ends_its_side_is_answered(bridge: Bridge) -> None:
    with many(bridge, 1, GET) as [connection]:
        connection.shutdown(socket.SHUT_WR)
        assert b'"versions"' in http.answer(connection)[1]


def test_after_a_field_with_an_underscore_nothing_more_is_read(bridge: Bridge) -> None:
    strange = GET[:-2] + b"Content_Length: 2\r\n\r\n"
    with many(bridge, 1, strange + LIVEZ) as [connection]:
        status, text = http.answer(connection)
        assert status == 200
        assert b"alive" not in text


def test_a_client_that_waits_to_send_is_told_to(bridge: Bridge) -> None:
    with many(bridge, 1, WAITING) as [connection]:
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_waits_to_send_what_nobody_wants_is_told_so_at_once(bridge: Bridge) -> None:
    with many(bridge, 1, WAITING.replace(b"/v2/send", b"/nowhere")) as [connection]:
        assert http.answer(connection)[0] == 404


@pytest.mark.parametrize(
    ("path", "begin", "size_bytes", "status"),
    [
        ("/nowhere", b"", 30_000_000, 404),
        ("/v2/send", b'{"message":[' + b"{}," * 100_000, 30_000_000, 413),
        ("/v2/send", b"", LARGEST_BODY_BYTES + 1_000_000, 413),
    ],
)
def test_a_client_that_writes_all_before_it_reads_is_answered(
    bridge: Bridge, path: str, begin: bytes, size_bytes: int, status: int
) -> None:
    answer = bridge.post(
        path, data=begin.ljust(size_bytes), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == status
    assert answer.headers["Connection"] == "close"


def test_whoever_floods_after_its_answer_is_in_nobodys_way(bridge: Bridge) -> None:
    """Everybody writes on and on what nobody reads; each comes to an end all the same."""
    endless = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n"
    is_over = threading.Event()

    def flood(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while not is_over.is_set():
                connection.sendall(b"x" * 1_000_000)

    with many(bridge, 8, endless) as those:
        floods = [threading.Thread(target=flood, args=(one,)) for one in those]
        for one in floods:
            one.start()
        for _ in range(5):
            assert bridge.get("/v1/about", timeout=5).status_code == 200
        for one in floods:  # it is not cut off by us
            one.join(20)
        assert not any(one.is_alive() for one in floods)
        is_over.set()


def test_a_body_that_ends_too_early_is_no_reason_to_wait(bridge: Bridge) -> None:
    with many(bridge, 1, CHUNKED.replace(b"/v1/search", b"/v2/send") + b"5\r\n{") as [connection]:
        connection.shutdown(socket.SHUT_WR)
        status, text = http.answer(connection)
        assert (status, problem(text)["code"]) == (408, "incomplete_request")


def test_a_slow_body_makes_way_for_another_long_one(bridge: Bridge) -> None:
    whole = SLOW_BODY + b" " * 130_000
    with many(bridge, 3, SLOW_BODY):  # one after the other: a client has one such place of two
        status, _text = http.exchange(bridge, whole.replace(b"Host: x", b"Connection: close"))
        assert status == 400


def test_whoever_does_not_read_is_cut_off_and_others_are_answered(bridge: Bridge) -> None:
    path = bridge.config_dir / "attachments" / "large.bin"
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        file.truncate(50_000_000)
    ask = b"GET /v1/attachments/large.bin HTTP/1.1\r\nHost: x\r\n\r\n"
    with many(bridge, 12, ask):
        assert bridge.get("/v1/about", timeout=10).status_code == 200
        whole = bridge.get("/v1/attachments/large.bin", timeout=20)
        assert len(whole.content) == 50_000_000


@pytest.mark.parametrize("data", [b"", HALF, SLOW_BODY, LIVEZ], ids=["", "head", "body", "idle"])
def test_a_stop_waits_for_none_of_them(data: bytes) -> None:
    with Bridge(MODE="sandbox") as stopped, many(stopped, 30, data):
        eventually(lambda: stopped.get("/livez").status_code == 200)
        stopped.stop(seconds=10)


def worker_of(bridge: Bridge) -> Process:
    master = bridge.child("gunicorn")
    return next(child for child in bridge.children() if child.parent_pid == master.pid)


def test_whoever_comes_finds_room_when_descriptors_are_few() -> None:
    """The limit is that of the process, which it inherits from its starter."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Bridge(MODE="sandbox") as few:
        few.wait_ready()
        resource.prlimit(worker_of(few).pid, resource.RLIMIT_NOFILE, (64, hard))
        with many(few, 80, LIVEZ):
            assert few.get("/livez", timeout=10).status_code == 200
        assert few.get("/livez", timeout=10).status_code == 200
    assert soft > 0
