"""No WebSocket client takes more than its share, whatever it sends and however it reads."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import Ping, TextMessage

from signal_bridge.web.streams import websocket
from tests.rpc.far_end import InThread
from tests.streams.conftest import Stage
from tests.streams.desk import Desk
from tests.streams.test_websocket import masked, raw_client, read_until
from tests.support import eventually


def frame_of(length_bytes: int) -> bytes:
    """The head of a binary frame."""
    return b"\x82\xff" + struct.pack(">Q", length_bytes) + bytes(4)


@pytest.mark.parametrize(
    "data",
    [
        masked(0x9, b"") * 2000,
        masked(0x9, b"p" * 100) * 2000,
        masked(0xA, b"0") * 2000,
        masked(0x1, b"words nobody reads") * 2000,
        b"\x01" + masked(0x0, b"")[1:] + (b"\x00" + masked(0x0, b"")[1:]) * 2000,
        frame_of(60_000_000) + bytes(1_000_000),
    ],
    ids=["pings", "long-pings", "pongs", "messages", "fragments", "a-frame-of-60-MB"],
)
def test_the_stream_of_who_says_too_much_ends(stage: Stage, account: str, data: bytes) -> None:
    before = stage.bridge.log.count("it says too much")
    with raw_client(stage, account) as client:
        read_until(client, b"\r\n\r\n")
        sending = InThread(lambda: send(client, data))
        read_to_the_end(client)
        sending.result()
    eventually(lambda: stage.bridge.log.count("it says too much") == before + 1)
    assert stage.bridge.get("/v1/about").status_code == 200


def send(client: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # it is closed in the middle
        client.sendall(data)


def read_to_the_end(client: socket.socket) -> None:
    """What is not read of a client when its connection ends resets it."""
    with contextlib.suppress(ConnectionResetError):
        while client.recv(65536):
            pass


def test_a_client_that_says_a_little_now_and_then_stays(stage: Stage, account: str) -> None:
    with raw_client(stage, account) as client:
        read_until(client, b"\r\n\r\n")
        client.sendall(masked(0x9, b"are you there") * 40 + masked(0x1, b"hello") * 40)
        stage.receive(account, "still here")
        read_until(client, b"still here")


# -- a session, without a bridge around it ---------------------------------------------------------


@contextmanager
def session(desk: Desk) -> Iterator[tuple[InThread, socket.socket]]:
    """A client, and the thread that serves it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(10)
        serving = InThread(lambda: websocket._Session(ours, desk.reader()).run(b"hello"))
        yield serving, theirs
        theirs.close()
        serving.result()


def test_a_client_that_pings_for_ever_and_answers_none_is_gone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(websocket, "_SILENT_SECONDS", 0.4)
    monkeypatch.setattr(websocket, "PING_EVERY_SECONDS", 0.1)
    caplog.set_level("INFO")
    with session(desk) as (serving, client):
        while not serving.is_over():
            send(client, masked(0x9, b"alive") + masked(0xA, b"") + masked(0xA, b"99"))
            threading.Event().wait(0.05)
    assert "it has not answered several pings" in caplog.text


def test_a_client_that_answers_stays(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "_SILENT_SECONDS", 0.4)
    monkeypatch.setattr(websocket, "PING_EVERY_SECONDS", 0.1)
    with session(desk) as (serving, client):
        for _ in range(10):
            read_until(client, b"\x89")
            client.sendall(masked(0xA, b"0"))
        desk.tell("still here")
        read_until(client, b"still here")
        assert not serving.is_over()


def test_a_client_that_never_pauses_and_reads_next_to_nothing_is_dropped(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(websocket, "_PAUSE_SECONDS", 1.0)
    monkeypatch.setattr(websocket, "_LEAST_BYTES_PER_SECOND", 10**8)
    caplog.set_level("INFO")
    desk.tell("x" * 10_000_000)
    with session(desk) as (serving, client):
        while not serving.is_over():
            client.recv(10_000)
            threading.Event().wait(0.02)
    assert "it does not read" in caplog.text


def test_a_slow_client_that_reads_gets_everything(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "_PAUSE_SECONDS", 5.0)
    desk.tell("x" * 1_000_000, "the end")
    with session(desk) as (_, client):
        told = b""
        while b"the end" not in told:
            told += client.recv(20_000)
            threading.Event().wait(0.002)


def test_a_stop_does_not_wait_for_a_client_that_does_not_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "_PAUSE_SECONDS", 3600.0)
    desk.tell("x" * 10_000_000)
    with session(desk) as (serving, client):
        assert client.recv(5) == b"hello"
        desk.feed.close()
        serving.result()


def test_a_client_that_answers_every_ping_may_read_a_long_backlog(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "_BATCH", 1)
    monkeypatch.setattr(websocket, "_FRAMES_PER_SECOND", 0)
    monkeypatch.setattr(websocket, "_BYTES_PER_SECOND", 0)
    desk.tell(*(f"message {number}" for number in range(500)))
    wire, told = Connection(ConnectionType.CLIENT), 0
    with session(desk) as (_, client):
        assert client.recv(5) == b"hello"
        while told < 500:
            wire.receive_data(client.recv(65536))
            for event in wire.events():
                told += isinstance(event, TextMessage)
                if isinstance(event, Ping):
                    client.sendall(wire.send(event.response()))
