"""The feed by WebSocket, with a client that is not ours."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.streams.conftest import SENDER, Stage
from tests.support.waiting import eventually

WAIT = 10
TYPING = {"source": SENDER, "sourceNumber": SENDER, "timestamp": 1, "typingMessage": {}}


def texts(client: ClientConnection, count: int) -> list[str]:
    return [text_of(client.recv(timeout=WAIT)) for _ in range(count)]


def text_of(frame: Any) -> str:
    assert isinstance(frame, str), "frames are text frames"
    return str(json.loads(frame)["envelope"]["dataMessage"]["message"])


def assert_silent(client: ClientConnection) -> None:
    with pytest.raises(TimeoutError):
        client.recv(timeout=0.3)


def test_what_arrived_before_comes_first_and_then_what_arrives(stage: Stage, account: str) -> None:
    stage.receive(account, "one", "two")
    with connect(stage.websocket(account)) as client:
        assert texts(client, 2) == ["one", "two"]
        stage.receive(account, "three")
        assert texts(client, 1) == ["three"]


def test_a_frame_is_what_signal_cli_said_and_nothing_is_added_as_null(
    stage: Stage, account: str
) -> None:
    stage.receive(account, "hello")
    with connect(stage.websocket(account)) as client:
        frame = json.loads(client.recv(timeout=WAIT))
    assert set(frame) == {"envelope", "account"}
    assert frame["account"] == account
    assert "syncMessage" not in frame["envelope"]


def test_a_client_that_comes_back_is_told_only_what_it_has_not_read(
    stage: Stage, account: str
) -> None:
    stage.receive(account, "read")
    with connect(stage.websocket(account)) as client:
        assert texts(client, 1) == ["read"]
        client.ping().wait(WAIT)  # answered after the bridge has taken our pong
    stage.receive(account, "missed")
    with connect(stage.websocket(account)) as client:
        assert texts(client, 1) == ["missed"]


def test_what_a_client_never_read_is_told_again(stage: Stage, account: str) -> None:
    """A client that dies with frames in its socket has not answered the ping behind them."""
    stage.receive(account, "lost with the client")
    raw = raw_client(stage, account)
    read_until(raw, b"lost with the client")
    raw.close()
    with connect(stage.websocket(account)) as client:
        assert texts(client, 1) == ["lost with the client"]


@pytest.mark.parametrize("seq", ["999999999", "9" * 125])
def test_a_pong_for_what_was_never_sent_means_nothing(stage: Stage, account: str, seq: str) -> None:
    stage.receive(account, "not read")
    with raw_client(stage, account) as raw:
        read_until(raw, b"not read")
        raw.sendall(masked(0xA, seq.encode()) + masked(0x8, b""))
        while raw.recv(4096):
            pass  # the goodbye comes when everything is written down
    with connect(stage.websocket(account)) as client:
        assert texts(client, 1) == ["not read"]


def test_a_pong_for_less_than_was_read_takes_nothing_back(stage: Stage, account: str) -> None:
    stage.receive(account, "read")
    with connect(stage.websocket(account)) as client:
        assert texts(client, 1) == ["read"]
        client.ping().wait(WAIT)
        client.pong(b"0")
        client.pong(b"1")
    stage.receive(account, "new")
    with connect(stage.websocket(account)) as client:
        assert texts(client, 1) == ["new"]


def test_a_filter_uses_up_nothing_that_it_did_not_show(stage: Stage, account: str) -> None:
    stage.receive(account, "first")
    stage.daemon.notify(account, TYPING)
    with connect(stage.websocket(account, "?types=typing")) as client:
        assert "typingMessage" in str(client.recv(timeout=WAIT))
        client.ping().wait(WAIT)
    with connect(stage.websocket(account)) as client:
        assert texts(client, 1) == ["first"]


def test_who_says_where_to_begin_is_told_what_is_no_longer_kept(stage: Stage, account: str) -> None:
    stage.receive(account, "lost")
    lost = stage.prune(account)
    stage.receive(account, "kept")
    with connect(stage.websocket(account, "?after=0")) as client:
        assert json.loads(client.recv(timeout=WAIT)) == {"gap": {"from": 1, "to": lost}}
        assert texts(client, 1) == ["kept"]


def test_the_peers_clients_are_spared_a_frame_they_do_not_know(stage: Stage, account: str) -> None:
    stage.receive(account, "lost")
    lost = stage.prune(account)
    stage.receive(account, "kept")
    with connect(stage.websocket(account)) as client:
        assert texts(client, 1) == ["kept"]
    assert f"missed events 1 to {lost}" in stage.bridge.log


@pytest.mark.parametrize("size", [1, 100, 126, 60_000, 70_000])
def test_a_frame_is_whole_whatever_its_size(stage: Stage, account: str, size: int) -> None:
    stage.receive(account, "x" * size)
    with connect(stage.websocket(account)) as client:
        assert texts(client, 1) == ["x" * size]


def raw_client(stage: Stage, account: str, query: str = "") -> socket.socket:
    """A WebSocket that answers no ping by itself."""
    raw = socket.create_connection(("127.0.0.1", stage.bridge.port), timeout=WAIT)
    raw.sendall(
        f"GET /v1/receive/{account}{query} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    return raw


def read_until(raw: socket.socket, data: bytes) -> None:
    received = b""
    while data not in received:
        received += raw.recv(4096)


def masked(opcode: int, payload: bytes) -> bytes:
    """A frame as a client sends it, under a mask of zeros."""
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + bytes(4) + payload


def test_every_socket_of_an_account_gets_every_message_and_others_get_none(
    stage: Stage, account: str
) -> None:
    with (
        connect(stage.websocket(account)) as one,
        connect(stage.websocket(account)) as two,
        connect(stage.websocket("+49161")) as other,
    ):
        stage.receive(account, "for both")
        assert texts(one, 1) == texts(two, 1) == ["for both"]
        assert_silent(other)


def test_after_says_where_to_begin_and_leaves_the_cursor_alone(stage: Stage, account: str) -> None:
    stage.receive(account, "one", "two")
    page = stage.bridge.get(f"/v1/events?account=%2B{account[1:]}").json()
    first = page["events"][0]["seq"]
    with connect(stage.websocket(account, f"?after={first}")) as client:
        assert texts(client, 1) == ["two"]
        client.ping().wait(WAIT)
    with connect(stage.websocket(account)) as client:
        assert texts(client, 2) == ["one", "two"]


def test_without_backlog_only_what_is_new_comes(stage: Stage, account: str) -> None:
    stage.receive(account, "old")
    with connect(stage.websocket(account, "?backlog=false")) as client:
        stage.receive(account, "new")
        assert texts(client, 1) == ["new"]


def test_types_and_senders_are_filtered(stage: Stage, account: str) -> None:
    stage.receive(account, "from another", sender="+4917000002")
    stage.receive(account, "from the right one")
    stage.daemon.notify(account, TYPING)
    query = f"?types=message&from={SENDER.replace('+', '%2B')}"
    with connect(stage.websocket(account, query)) as client:
        assert texts(client, 1) == ["from the right one"]
        assert_silent(client)


def test_a_word_that_is_no_type_is_refused_before_the_upgrade(stage: Stage, account: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(stage.websocket(account, "?types=messages")).__enter__()
    assert refused.value.response.status_code == 400
    assert "messages" in json.loads(refused.value.response.body)["error"]


def test_pings_of_the_client_are_answered(stage: Stage, account: str) -> None:
    with connect(stage.websocket(account)) as client:
        assert client.ping(b"are you there").wait(WAIT)


def test_a_client_that_closes_gets_its_close_back(stage: Stage, account: str) -> None:
    client = connect(stage.websocket(account)).__enter__()
    client.close(1000, "enough")
    assert client.close_code == 1000


def test_a_client_that_does_not_speak_websocket_harms_nobody(stage: Stage, account: str) -> None:
    raw = raw_client(stage, account)
    raw.recv(4096)
    raw.sendall(b"\xff" * 64)
    assert eventually(lambda: raw.recv(4096) == b"", WAIT)
    with connect(stage.websocket(account)) as client:
        stage.receive(account, "still fine")
        assert texts(client, 1) == ["still fine"]


def test_a_broken_handshake_is_a_400_that_says_why(stage: Stage, account: str) -> None:
    answer = stage.bridge.get(
        f"/v1/receive/{account}", headers={"Upgrade": "websocket", "Connection": "Upgrade"}
    )
    assert answer.status_code == 400
    assert "Sec-WebSocket-Version" in answer.json()["error"]


def test_a_client_that_stops_reading_is_dropped_slows_nobody_and_loses_nothing(
    stage: Stage, account: str
) -> None:
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", stage.bridge.port))
    slow.sendall(
        f"GET /v1/receive/{account}?after=0 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    count, filler = 400, "x" * 20_000
    with connect(stage.websocket(account), max_size=None) as quick:
        for first in range(0, count, 50):
            stage.receive(account, *(f"{n} {filler}" for n in range(first, first + 50)))
        numbers = [int(text.split()[0]) for text in texts(quick, count)]
        assert numbers == list(range(count))
    eventually(lambda: "it does not read" in stage.bridge.log, 30)
    slow.close()
    with connect(stage.websocket(account, "?after=0"), max_size=None) as back:
        assert [int(text.split()[0]) for text in texts(back, count)] == list(range(count))


def test_a_stop_says_goodbye(stage: Stage, account: str) -> None:
    """Last in this module: it ends the bridge, and starts it again for whoever follows."""
    with connect(stage.websocket(account)) as client:
        stage.bridge.stop()
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=WAIT)
        assert client.close_code == 1001
    stage.bridge.start().wait_ready()
    stage.daemon.wait_subscribed()
