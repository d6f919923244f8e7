"""The compatibility rules, each a sentence: what clients read (16 to 29)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.clients.conftest import ACCOUNT
from tests.clients.exact import ask, connected
from tests.clients.feed import received, received_text
from tests.clients.people import ANN, BOB, CYD, DAN, NOBODY, PNG, unique
from tests.support import Bridge, ScriptedDaemon, free_port
from tests.support.scripted_daemon import error, result

CHALLENGED = "+12025550192"
GROUP_KEYS = {
    "id", "internal_id", "name", "description", "members", "admins", "blocked", "member",
    "pending_invites", "pending_requests", "invite_link", "permissions",
}  # fmt: skip
CONTACT_KEYS = {
    "number", "uuid", "name", "profile_name", "username", "color", "blocked",
    "message_expiration", "note", "profile", "given_name", "nickname",
}  # fmt: skip


@pytest.fixture(scope="module")
def group(bridge: Bridge) -> str:
    body = {"name": "answers", "members": [BOB], "group_link": "enabled"}
    return str(bridge.post(f"/v1/groups/{ANN}", json=body).json()["id"])


def send(bridge: Bridge, *recipients: str, path: str = "/v2/send", **more: Any) -> Any:
    body = {"number": ANN, "recipients": recipients, "message": unique("answer"), **more}
    return bridge.post(path, json=body)


def test_about_says_what_clients_look_for_and_needs_no_backend(
    start_bridge: Callable[..., Bridge],
) -> None:
    """Rule 16; further keys are allowed, and json-rpc-native shows itself as json-rpc."""
    nobody = f"tcp:127.0.0.1:{free_port()}"
    about = start_bridge(MODE="json-rpc-native", BRIDGE_SIGNAL_CLI_RPC=nobody).get("/v1/about")
    assert about.status_code == 200
    shown = about.json()
    assert shown["versions"] == ["v1", "v2"]
    assert shown["build"] >= 2
    assert shown["mode"] == "json-rpc"
    assert shown["version"] == "0.101.0"
    assert shown["capabilities"] == {"v2/send": ["quotes", "mentions"]}


def test_an_answer_is_an_array_exactly_when_the_version_says_so(
    bridge: Bridge, older: Bridge, scripted: ScriptedDaemon
) -> None:
    """Rule 17, and BRIDGE_COMPAT; one entry for any list of numbers."""
    (entry,) = send(bridge, BOB, CYD).json()
    assert set(entry) == {"timestamp"}
    scripted.on("send", result({"timestamp": 7, "results": []}))
    assert older.get("/v1/about").json()["version"] == "0.100.0"
    body = {"number": ACCOUNT, "recipients": [BOB], "message": "hi"}
    assert older.post("/v2/send", json=body).json() == {"timestamp": "7"}


def test_a_timestamp_is_a_string_of_digits_and_the_receivers_timestamp(
    bridge: Bridge, group: str
) -> None:
    """Rule 18."""
    text = unique("when?")
    first = send(bridge, BOB, message=text).json()[0]["timestamp"]
    assert int(first) == received_text(bridge, BOB, text)["timestamp"]
    text = unique("when?")
    second = send(bridge, BOB, path="/v1/send", message=text).json()["timestamp"]
    assert int(second) == received_text(bridge, BOB, text)["timestamp"]
    about = {"recipient": BOB, "timestamp": int(first)}
    third = bridge.delete(f"/v1/remote-delete/{ANN}", json=about).json()["timestamp"]
    poll = {"recipient": group, "question": "?", "answers": ["a", "b"]}
    fourth = bridge.post(f"/v1/polls/{ANN}", json=poll).json()["timestamp"]
    for timestamp in (first, second, third, fourth):
        assert isinstance(timestamp, str)
        assert timestamp.isdigit()
    assert received(bridge, BOB, lambda envelope: envelope.get("timestamp") == int(fourth))


def test_a_send_that_went_well_is_201_without_errors(bridge: Bridge) -> None:
    """Rule 19."""
    answer = send(bridge, BOB)
    assert answer.status_code == 201
    assert "errors" not in answer.json()[0]


def test_each_route_has_the_status_that_clients_expect(bridge: Bridge) -> None:
    """Rule 20."""

    def status(method: str, path: str, body: Any = None) -> int:
        return int(bridge.request(method, path, json=body).status_code)

    assert status("GET", "/v1/health") == 204
    made = bridge.post(f"/v1/groups/{ANN}", json={"name": "s", "members": [BOB]})
    assert made.status_code == 201
    path = f"/v1/groups/{ANN}/{made.json()['id']}"
    assert status("PUT", path, {"name": "t"}) == 204
    assert status("POST", f"{path}/members", {"members": [CYD]}) == 204
    assert status("POST", f"/v1/groups/{BOB}/{made.json()['id']}/quit") == 204
    assert status("DELETE", f"/v1/groups/{CYD}/{made.json()['id']}") == 200
    assert status("PUT", f"/v1/profiles/{DAN}", {"name": "Dan"}) == 204
    assert status("PUT", f"/v1/contacts/{ANN}", {"recipient": CYD, "name": "c"}) == 204
    assert status("POST", f"/v1/accounts/{DAN}/pin", {"pin": "1234"}) == 201
    assert status("DELETE", f"/v1/accounts/{DAN}/pin") == 204
    assert status("POST", f"/v1/accounts/{DAN}/username", {"username": "dan"}) == 201
    assert status("DELETE", f"/v1/accounts/{DAN}/username") == 204
    assert status("POST", "/v1/register/+12025550175") == 201
    about = {"recipient": BOB, "timestamp": int(send(bridge, BOB).json()[0]["timestamp"])}
    receipt = {**about, "receipt_type": "read", "recipient": ANN}
    assert status("POST", f"/v1/receipts/{BOB}", receipt) == 204
    assert status("DELETE", f"/v1/remote-delete/{ANN}", about) == 201


def test_204_has_no_body(bridge: Bridge) -> None:
    """Rule 21: nothing but the next answer follows on the connection."""
    connection = connected(bridge)
    for _ in range(3):
        assert ask(connection, "GET", "/v1/health") == (204, b"")
        status, body = ask(connection, "GET", "/v1/about")
        assert (status, json.loads(body)["build"]) == (200, 2)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v2/send", b"{"),
        ("POST", "/v2/send", b'{"number":"+12025550100","recipients":["+12025559999"]}'),
        ("GET", "/v1/groups/%2B999", None),
        ("GET", "/v1/groups/%2B12025550100/group.abc", None),
        ("GET", "/v1/attachments/nothing", None),
        ("GET", "/v1/receive/%2B12025550100?timeout=x", None),
        ("GET", "/v1/qrcodelink", None),
        ("PUT", "/v1/identities/%2B12025550100/trust/%2B12025550101", b"{}"),
    ],
)
def test_a_failure_is_an_object_with_a_text_as_its_error(
    bridge: Bridge, method: str, path: str, body: bytes | None
) -> None:
    """Rule 22."""
    answer = bridge.request(method, path, data=body)
    assert 400 <= answer.status_code < 500
    assert answer.headers["Content-Type"].startswith("application/json")
    assert isinstance(answer.json()["error"], str)


def test_a_rate_limit_comes_with_its_tokens_and_the_account(bridge: Bridge) -> None:
    """Rule 22."""
    answer = send(bridge, CHALLENGED)
    assert answer.status_code == 429
    assert answer.json()["account"] == ANN
    assert all(answer.json()["challenge_tokens"])
    assert isinstance(answer.json()["error"], str)


@pytest.mark.parametrize(
    "path",
    ["about", "accounts", "attachments", "configuration", "qrcodelink/raw?device_name=x"]
    + [f"{resource}/{ANN}" for resource in ("groups", "contacts", "identities", "devices")]
    + [f"receive/{ANN}?timeout=0", f"sticker-packs/{ANN}", f"search?numbers=%2B{BOB[1:]}"],
)
def test_json_says_that_it_is_json(bridge: Bridge, path: str) -> None:
    """Rule 23: aiohttp refuses it otherwise."""
    answer = bridge.get(f"/v1/{path}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json() is not None


@pytest.mark.parametrize("path", ["/v1/send/+12025550101", "/v1/nothing", "//v1/about", "/v3/send"])
def test_unknown_routes_are_404(bridge: Bridge, path: str) -> None:
    """Rule 24: the first is how another server's client finds out that this is not it."""
    connection = connected(bridge)
    assert ask(connection, "POST", path, b'{"message":"hi"}')[0] == 404


def test_a_group_has_all_its_keys_and_no_list_is_null(bridge: Bridge, group: str) -> None:
    """Rule 25."""
    shown = bridge.get(f"/v1/groups/{ANN}/{group}").json()
    assert set(shown) >= GROUP_KEYS  # further ones may come
    for key in ("members", "admins", "pending_invites", "pending_requests"):
        assert isinstance(shown[key], list)
    assert sorted(shown["members"]) == [ANN, BOB]
    assert set(shown["permissions"].values()) <= {"only-admins", "every-member"}
    encoded = base64.b64encode(shown["internal_id"].encode()).decode()
    assert (shown["id"], len(shown["id"])) == (f"group.{encoded}", 66)
    assert shown in bridge.get(f"/v1/groups/{ANN}").json()


def test_a_contact_has_all_its_keys_and_an_identity_is_all_text(bridge: Bridge) -> None:
    """Rule 26."""
    contacts = bridge.get(f"/v1/contacts/{ANN}").json()
    assert contacts
    for contact in contacts:
        assert set(contact) >= CONTACT_KEYS
        assert isinstance(contact["message_expiration"], str)
        assert isinstance(contact["profile"], dict)
        assert isinstance(contact["nickname"], dict)
    identities = bridge.get(f"/v1/identities/{ANN}").json()
    assert identities
    assert all(isinstance(value, str) for each in identities for value in each.values())


def test_a_file_comes_back_byte_for_byte_with_the_type_it_looks_like(bridge: Bridge) -> None:
    """Rule 27."""
    text = unique("a file")
    send(bridge, BOB, message=text, base64_attachments=[base64.b64encode(PNG).decode()])
    (file,) = received_text(bridge, BOB, text)["dataMessage"]["attachments"]
    answer = bridge.get(f"/v1/attachments/{file['id']}")
    assert answer.content == PNG
    assert answer.headers["Content-Type"] == "image/png"
    unknown = bridge.get("/v1/attachments/unknown")
    assert unknown.status_code == 404
    assert isinstance(unknown.json()["error"], str)


def test_signal_clis_own_dialect_is_served_whole_or_not_at_all(
    bridge: Bridge, plain: Bridge
) -> None:
    """Rule 28: OpenClaw prefers it wherever `/api/v1/check` is answered."""
    version = {"jsonrpc": "2.0", "method": "version", "id": "1"}
    assert bridge.get("/api/v1/check").status_code == 200
    assert bridge.post("/api/v1/rpc", json=version).json()["result"]
    with requests.get(f"{bridge.url}/api/v1/events", stream=True, timeout=20) as events:
        assert events.status_code == 200
    assert plain.get("/api/v1/check").status_code == 404
    assert plain.post("/api/v1/rpc", json=version).status_code == 404
    assert plain.get("/api/v1/events").status_code == 404


def test_what_went_out_is_never_answered_as_a_failure(bridge: Bridge) -> None:
    """Rule 29: n8n would send it again. Who was not reached is in the answer."""
    text = unique("to one of two")
    answer = send(bridge, NOBODY, BOB, message=text)
    assert answer.status_code == 201
    assert answer.json()[0]["errors"]["recipients"][0]["number"] == NOBODY
    assert received_text(bridge, BOB, text)


def test_a_failure_means_that_nothing_went_out(plain: Bridge, scripted: ScriptedDaemon) -> None:
    """Rule 29."""
    scripted.on("send", error(-1, "Failed to send message"))
    body = {"number": ACCOUNT, "recipients": [BOB], "message": "hi"}
    assert plain.post("/v2/send", json=body).status_code == 400
    assert len(scripted.asked("send")) == 1
