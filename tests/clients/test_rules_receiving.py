"""The compatibility rules, each a sentence: receiving (30 to 40) and connections (41 to 44)."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from websockets.sync.client import ClientConnection, connect

from tests.clients.conftest import ACCOUNT, OTHER
from tests.clients.exact import ask, connected
from tests.clients.feed import received_text
from tests.clients.people import ANN, BOB, CYD, DAN, PNG, unique
from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import Gate, result, text_envelope

SECONDS = 20
MIB = 2**20
_timestamps = itertools.count(1_700_000_000_000)


@contextlib.contextmanager
def opened(bridge: Bridge, number: str, query: str = "", **options: Any) -> Iterator[Any]:
    """A WebSocket that begins with what comes from now on, unless the query says otherwise."""
    url = f"ws://127.0.0.1:{bridge.port}/v1/receive/{number}{query or '?backlog=false'}"
    with connect(url, open_timeout=SECONDS, **options) as client:
        yield client


def frame_with(client: ClientConnection, text: str) -> dict[str, Any]:
    """The first frame whose message is `text`; each is a whole text message."""
    while True:
        frame = client.recv(timeout=SECONDS)
        assert isinstance(frame, str)
        element: dict[str, Any] = json.loads(frame)
        if (element["envelope"].get("dataMessage") or {}).get("message") == text:
            return element


def say(bridge: Bridge, to: str = BOB, **more: Any) -> str:
    """Send a message; its text."""
    text = unique("receiving")
    body = {"number": ANN, "recipients": [to], "message": text, **more}
    answer = bridge.post("/v2/send", json=body)
    assert answer.status_code == 201, answer.text
    return text


def envelope(**content: Any) -> dict[str, Any]:
    """What signal-cli would send, with `content` instead of a data message."""
    made = text_envelope(BOB, "x", next(_timestamps))
    return {key: value for key, value in made.items() if key != "dataMessage"} | content


# -- receiving -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [BOB, f"%2B{BOB[1:]}", f"%2b{BOB[1:]}"])
@pytest.mark.parametrize(
    "query",
    ["", "?ignore_attachments=false&send_read_receipts=false&timeout=1&max_messages=3&what=ever"],
)
def test_a_socket_opens_whatever_its_number_query_and_headers(
    bridge: Bridge, number: str, query: str
) -> None:
    """Rule 30: permessage-deflate is offered, too."""
    headers = {"Origin": "http://somewhere.else", "Authorization": "Bearer x"}
    with opened(bridge, number, query, additional_headers=headers, compression="deflate") as client:
        assert frame_with(client, say(bridge))


def test_each_envelope_is_one_text_message_and_not_wrapped(bridge: Bridge) -> None:
    """Rule 31."""
    with opened(bridge, BOB) as client:
        frame = frame_with(client, say(bridge))
    assert set(frame) == {"envelope", "account"}
    assert frame["account"] == BOB


def test_what_signal_cli_says_is_passed_whole_and_nothing_is_added(
    plain: Bridge, scripted: ScriptedDaemon
) -> None:
    """Rule 32: `"syncMessage": null` silences OpenClaw."""
    odd = envelope(brandNewMessage={"a": [1, {"b": None}]}, sourceName=None, dataMessage={"m": 1.5})
    with opened(plain, ACCOUNT) as client:
        scripted.notify(ACCOUNT, odd)
        assert json.loads(client.recv(timeout=SECONDS)) == {"envelope": odd, "account": ACCOUNT}


def test_an_attachment_says_whether_it_is_a_voice_note(
    plain: Bridge, scripted: ScriptedDaemon
) -> None:
    """Rule 33: previews and quotes, too. signalbot loses the message otherwise."""

    def file(**more: Any) -> dict[str, Any]:
        return {"contentType": "image/png", "id": "a.png", "size": 1, **more}

    message = {
        "timestamp": 1,
        "attachments": [file(), file(isVoiceNote=True)],
        "previews": [{"url": "u", "title": "t", "image": file()}],
        "quote": {"id": 1, "attachments": [{"contentType": "x", "thumbnail": file()}]},
    }
    with opened(plain, ACCOUNT) as client:
        scripted.notify(ACCOUNT, envelope(dataMessage=message))
        data = json.loads(client.recv(timeout=SECONDS))["envelope"]["dataMessage"]
    assert [each["isVoiceNote"] for each in data["attachments"]] == [False, True]
    assert data["previews"][0]["image"]["isVoiceNote"] is False
    assert data["quote"]["attachments"][0]["thumbnail"]["isVoiceNote"] is False


def test_fifty_sockets_get_every_message_once_and_those_of_others_none(
    plain: Bridge, scripted: ScriptedDaemon
) -> None:
    """Rule 34."""
    texts = [f"message {number}" for number in range(20)]
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(opened(plain, ACCOUNT)) for _ in range(50)]
        stranger = stack.enter_context(opened(plain, OTHER))
        for text in texts:
            scripted.notify(ACCOUNT, text_envelope(BOB, text, next(_timestamps)))
        scripted.notify(OTHER, text_envelope(BOB, "for the other", next(_timestamps)))
        scripted.notify(ACCOUNT, text_envelope(BOB, "the end", next(_timestamps)))
        for client in clients:
            got = [json.loads(client.recv(timeout=SECONDS)) for _ in range(len(texts) + 1)]
            messages = [each["envelope"]["dataMessage"]["message"] for each in got]
            assert messages == [*texts, "the end"]
        first = json.loads(stranger.recv(timeout=SECONDS))
        assert first["envelope"]["dataMessage"]["message"] == "for the other"


def test_a_ping_is_answered_though_nothing_else_happens(bridge: Bridge) -> None:
    """Rule 35: signalbot gives up after an unanswered one."""
    with opened(bridge, CYD, ping_interval=None) as client:
        for payload in ("", "one", "x" * 125):
            assert client.ping(payload).wait(SECONDS)


def test_a_file_can_be_fetched_the_moment_its_frame_arrives(bridge: Bridge) -> None:
    """Rule 36."""
    encoded = base64.b64encode(PNG).decode()
    with opened(bridge, BOB) as client:
        for _ in range(5):
            frame = frame_with(client, say(bridge, base64_attachments=[encoded]))
            (file,) = frame["envelope"]["dataMessage"]["attachments"]
            assert bridge.get(f"/v1/attachments/{file['id']}").content == PNG


def test_a_plain_get_is_answered_in_json_rpc_mode_too(bridge: Bridge) -> None:
    """Rule 37, improved upon: the original refuses it."""
    text = say(bridge, to=DAN)
    received_text(bridge, DAN, text)
    answer = bridge.get(f"/v1/receive/{DAN}?timeout=5")
    assert answer.status_code == 200
    assert text in answer.text


def test_in_normal_mode_a_get_gives_an_array_within_its_time(
    plain: Bridge, scripted: ScriptedDaemon
) -> None:
    """Rule 38."""
    path = f"/v1/receive/{OTHER}"
    while plain.get(f"{path}?timeout=0").json():
        pass
    empty = plain.get(f"{path}?timeout=1", timeout=SECONDS)
    assert (empty.status_code, empty.json()) == (200, [])
    scripted.notify(
        OTHER, *(text_envelope(BOB, text, next(_timestamps)) for text in ("a", "b", "c"))
    )
    some = plain.get(f"{path}?timeout=10&max_messages=2").json()
    rest = plain.get(f"{path}?timeout=10").json()
    texts = [each["envelope"]["dataMessage"]["message"] for each in (*some, *rest)]
    assert (len(some), texts) == (2, ["a", "b", "c"])


@pytest.mark.parametrize("flag", ["1", "True", "yes", ""])
def test_a_flag_is_true_or_false_and_nothing_else(plain: Bridge, flag: str) -> None:
    """Rule 38."""
    assert plain.get(f"/v1/receive/{OTHER}?ignore_attachments={flag}").status_code == 400
    assert plain.get(f"/v1/receive/{OTHER}?ignore_attachments=true&timeout=0").status_code == 200


def test_an_open_receive_blocks_nothing_else(plain: Bridge, scripted: ScriptedDaemon) -> None:
    """Rule 39."""
    scripted.on("send", result({"timestamp": 1, "results": []}))
    scripted.on("listGroups", result([]))
    with ThreadPoolExecutor(1) as waiting, opened(plain, ACCOUNT):
        poll = waiting.submit(plain.get, f"/v1/receive/{OTHER}?timeout=30", timeout=60)
        body = {"number": OTHER, "recipients": [BOB], "message": "hi"}
        assert plain.post("/v2/send", json=body, timeout=SECONDS).status_code == 201
        assert plain.get(f"/v1/groups/{OTHER}", timeout=SECONDS).status_code == 200
        assert not poll.done()
        scripted.notify(OTHER, text_envelope(BOB, "that is all", next(_timestamps)))
        assert "that is all" in poll.result(SECONDS).text


def test_a_frame_stays_small_though_its_file_is_large(bridge: Bridge) -> None:
    """Rule 40: signalbot and OpenClaw close on a frame above 1 MiB."""
    encoded = base64.b64encode(bytes(3 * MIB)).decode()
    with opened(bridge, BOB, max_size=MIB) as client:
        frame = frame_with(client, say(bridge, base64_attachments=[encoded]))
    (file,) = frame["envelope"]["dataMessage"]["attachments"]
    assert file["size"] == 3 * MIB
    assert len(json.dumps(frame)) < 10_000


# -- connections -----------------------------------------------------------------------------------


def test_a_tls_hello_is_turned_away(bridge: Bridge) -> None:
    """Rule 41: signalbot tries https first, and would wait."""
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"https://127.0.0.1:{bridge.port}/v1/health", timeout=10)
    assert bridge.get("/v1/health").status_code == 204


def test_a_connection_survives_refusals_and_empty_answers(bridge: Bridge) -> None:
    """Rule 42."""
    connection = connected(bridge)
    ask(connection, "GET", "/v1/about")
    socket = connection.sock
    for method, path, body, status in (
        ("GET", "/v1/nothing", None, 404),
        ("GET", "/v1/health", None, 204),
        ("POST", "/v2/send", b"{", 400),
        ("GET", "/v1/attachments/nothing", None, 404),
        ("POST", "/api/v1/rpc", b"x", 415),
        ("GET", "/v1/about", None, 200),
    ):
        assert ask(connection, method, path, body)[0] == status
        assert connection.sock is socket


def test_parallel_sends_keep_their_answers_apart(plain: Bridge, scripted: ScriptedDaemon) -> None:
    """Rule 43: signal-cli answers in any order; here in reverse."""
    gate, count = Gate(), 16

    def timestamp_of(connection: Any, asked: Any) -> None:
        number = int(asked.params["message"])
        gate(result({"timestamp": 1000 + number, "results": []}))(connection, asked)

    scripted.on("send", timestamp_of)

    def send(number: int) -> tuple[int, int]:
        body = {"number": ACCOUNT, "recipients": [BOB], "message": str(number)}
        return number, int(plain.post("/v2/send", json=body).json()[0]["timestamp"])

    with ThreadPoolExecutor(count) as clients:
        sent = [clients.submit(send, number) for number in range(count)]
        gate.wait_for(count)
        gate.open(in_reverse=True)
        answers = [one.result(SECONDS) for one in sent]
    assert answers == [(number, 1000 + number) for number in range(count)]


def test_parallel_sends_have_timestamps_of_their_own(bridge: Bridge) -> None:
    """Rule 43."""

    def send(number: int) -> str:
        body = {"number": ANN, "recipients": [CYD], "message": str(number)}
        return str(bridge.post("/v2/send", json=body).json()[0]["timestamp"])

    with ThreadPoolExecutor(16) as clients:
        timestamps = list(clients.map(send, range(64)))
    assert len(set(timestamps)) == 64


@pytest.mark.parametrize(
    "path",
    ["about", "health", "accounts", "attachments", "qrcodelink?device_name=x"]
    + [f"{resource}/{ANN}" for resource in ("groups", "contacts", "identities", "devices")],
)
def test_every_answer_is_complete_within_ten_seconds(bridge: Bridge, path: str) -> None:
    """Rule 44: OpenClaw's deadline covers the body."""
    ends_at = time.monotonic() + 10
    with bridge.get(f"/v1/{path}", stream=True, timeout=10) as answer:
        assert answer.status_code in {200, 204}
        size = sum(len(chunk) for chunk in answer.iter_content(65536))
    assert time.monotonic() < ends_at
    assert size == int(answer.headers.get("Content-Length", size))
