"""The compatibility rules, each a sentence: what clients may send (1 to 15)."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.clients.exact import ask, connected, post_json
from tests.clients.feed import data_of, received, received_text
from tests.clients.people import ANN, BOB, CYD, PNG, unique, uuid_of
from tests.support import Bridge

MIB = 2**20
ENCODED = base64.b64encode(PNG).decode()


@pytest.fixture(scope="module")
def group(bridge: Bridge) -> str:
    made = bridge.post(f"/v1/groups/{ANN}", json={"name": "rules", "members": [BOB]})
    return str(made.json()["id"])


def message_to(to: str = BOB, /, **more: Any) -> dict[str, Any]:
    return {"number": ANN, "recipients": [to], "message": unique("rule"), **more}


def sent(bridge: Bridge, body: dict[str, Any]) -> int:
    answer = bridge.post("/v2/send", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()[0]["timestamp"])


def arrived(bridge: Bridge, body: dict[str, Any], number: str = BOB) -> dict[str, Any]:
    """Send it; the data message that its receiver gets."""
    sent(bridge, body)
    return data_of(received_text(bridge, number, body["message"]))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        None,
    ],
)
def test_a_body_is_json_whatever_its_content_type(bridge: Bridge, content_type: str | None) -> None:
    """Rule 1."""
    body = message_to()
    assert post_json(bridge, "/v2/send", body, content_type)[0] == 201
    assert received_text(bridge, BOB, body["message"])


def test_unknown_fields_are_ignored(bridge: Bridge, group: str) -> None:
    """Rule 2."""
    path = f"/v1/groups/{ANN}/{group}"
    change = {"groupid": group, "name": "ruled", "members": [CYD]}
    assert bridge.put(path, json=change).status_code == 204
    assert sorted(bridge.get(path).json()["members"]) == [ANN, BOB]
    typing = {"recipient": BOB, "action": "stop"}
    assert bridge.put(f"/v1/typing-indicator/{ANN}", json=typing).status_code == 204
    about = {"recipient": BOB, "target_author": ANN, "timestamp": sent(bridge, message_to())}
    odd = {**about, "group_id": "x", "action": 3}
    assert bridge.delete(f"/v1/reactions/{ANN}", json=odd).status_code == 204


def test_null_is_absence_and_so_is_an_empty_quote_sticker_or_list(bridge: Bridge) -> None:
    """Rule 3: as alertmanager-webhook-signal sends it."""
    nothing = {"mentions": None, "quote_mentions": None, "quote_author": "", "quote_message": ""}
    more = {"sticker": "", "text_mode": None, "base64_attachments": [], "edit_timestamp": None}
    arrival = arrived(bridge, message_to(**nothing, **more))
    assert not {"quote", "sticker", "mentions", "attachments"} & set(arrival)


@pytest.mark.parametrize("plus", ["+", "%2B", "%2b"])
@pytest.mark.parametrize("equals", ["=", "%3D", "%3d"])
def test_a_plus_is_a_plus_and_every_spelling_names_the_same(
    bridge: Bridge, group: str, plus: str, equals: str
) -> None:
    """Rule 4."""
    connection = connected(bridge)
    path = f"/v1/groups/{plus}{ANN[1:]}/{group.replace('=', equals)}"
    status, body = ask(connection, "GET", path)
    assert (status, json.loads(body)["id"]) == (200, group)


def test_delete_requests_have_bodies_that_are_read(bridge: Bridge, group: str) -> None:
    """Rule 5."""
    in_group = f"/v1/groups/{ANN}/{group}"
    bridge.post(f"{in_group}/members", json={"members": [CYD]})
    bridge.post(f"{in_group}/admins", json={"admins": [CYD]})
    assert bridge.delete(f"{in_group}/admins", json={"admins": [CYD]}).status_code == 204
    assert bridge.get(in_group).json()["admins"] == [ANN]
    assert bridge.delete(f"{in_group}/members", json={"members": [CYD]}).status_code == 204
    assert CYD not in bridge.get(in_group).json()["members"]
    about = {"recipient": BOB, "timestamp": sent(bridge, message_to())}
    reaction = {**about, "target_author": ANN}
    assert bridge.delete(f"/v1/reactions/{ANN}", json=reaction).status_code == 204
    assert bridge.delete(f"/v1/typing-indicator/{ANN}", json=about).status_code == 204
    assert bridge.delete(f"/v1/remote-delete/{ANN}", json=about).status_code == 201
    poll = {"recipient": group, "question": "?", "answers": ["a", "b"]}
    asked = bridge.post(f"/v1/polls/{ANN}", json=poll).json()["timestamp"]
    closed = {"recipient": group, "poll_timestamp": asked}
    assert bridge.delete(f"/v1/polls/{ANN}", json=closed).status_code == 204


def test_a_post_without_a_body_is_enough_where_nothing_is_to_be_said(bridge: Bridge) -> None:
    """Rule 6."""
    made = bridge.post(f"/v1/groups/{ANN}", json={"name": "bare", "members": [BOB]}).json()["id"]
    connection = connected(bridge)
    bob = f"/v1/groups/{BOB}/{made}"
    for path in (f"{bob}/join", f"{bob}/block", f"{bob}/quit", f"/v1/contacts/{ANN}/sync"):
        assert ask(connection, "POST", path) == (204, b""), path


def test_a_body_of_67_mib_is_taken(bridge: Bridge) -> None:
    """Rule 7: a file of 50 MiB, as Home Assistant allows."""
    body = message_to()
    file = bytes(50 * MIB)
    head = json.dumps(body).encode()[:-1]
    encoded = head + b', "base64_attachments": ["' + base64.b64encode(file) + b'"]}'
    assert len(encoded) > 66 * MIB
    status, _ = ask(connected(bridge), "POST", "/v2/send", encoded)
    assert status == 201
    (attachment,) = data_of(received_text(bridge, BOB, body["message"]))["attachments"]
    assert attachment["size"] == len(file)


def test_a_body_may_come_in_chunks(bridge: Bridge) -> None:
    """Rule 7."""
    body = message_to()
    text = json.dumps(body).encode()

    def pieces() -> Iterator[bytes]:
        yield from (text[:10], text[10:20], text[20:])

    assert ask(connected(bridge), "POST", "/v2/send", pieces())[0] == 201
    assert received_text(bridge, BOB, body["message"])


def test_who_asks_whether_to_continue_is_told_to(bridge: Bridge) -> None:
    """Rule 7: curl does, above a megabyte."""
    body = json.dumps(message_to(base64_attachments=[ENCODED])).encode()
    head = (
        "POST /v2/send HTTP/1.1\r\nHost: bridge\r\nConnection: close\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", bridge.port), timeout=20) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(1000).startswith(b"HTTP/1.1 201 ")


def test_a_single_recipient_is_added_to_the_others(bridge: Bridge) -> None:
    """Rule 8: Synology sends `recipient`."""
    body = message_to(recipient=CYD)
    sent(bridge, body)
    assert received_text(bridge, BOB, body["message"])
    assert received_text(bridge, CYD, body["message"])


@pytest.mark.parametrize(
    ("spelling", "filename"),
    [
        (ENCODED, None),
        (f"data:image/png;base64,{ENCODED}", None),
        (f"data:image/png;filename=my picture.png;base64,{ENCODED}", "my picture.png"),
    ],
)
def test_a_file_comes_in_three_spellings_and_keeps_its_name(
    bridge: Bridge, spelling: str, filename: str | None
) -> None:
    """Rule 9."""
    (attachment,) = arrived(bridge, message_to(base64_attachments=[spelling]))["attachments"]
    assert bridge.get(f"/v1/attachments/{attachment['id']}").content == PNG
    assert attachment["contentType"] == "image/png"
    if filename is not None:
        assert attachment["filename"] == filename


def test_a_recipient_is_a_number_a_uuid_a_username_or_a_group(bridge: Bridge, group: str) -> None:
    """Rule 10."""
    taken = bridge.post(f"/v1/accounts/{BOB}/username", json={"username": "bobby"}).json()
    for recipient in (BOB, uuid_of(bridge, BOB), taken["username"], group):
        assert arrived(bridge, message_to(recipient))


def test_a_group_and_a_number_in_one_request_are_refused(bridge: Bridge, group: str) -> None:
    """Rule 10."""
    answer = bridge.post("/v2/send", json=message_to(recipients=[BOB, group]))
    assert answer.status_code == 400
    assert isinstance(answer.json()["error"], str)


def test_both_ways_to_trust_may_be_given_at_once(bridge: Bridge) -> None:
    """Rule 11."""
    identities = bridge.get(f"/v1/identities/{ANN}").json()
    number = next(each["safety_number"] for each in identities if each["number"] == BOB)
    body = {"verified_safety_number": number, "trust_all_known_keys": False}
    assert bridge.put(f"/v1/identities/{ANN}/trust/{BOB}", json=body).status_code == 204


def test_a_search_needs_no_number_in_its_path(bridge: Bridge) -> None:
    """Rule 12."""
    found = bridge.get(f"/v1/search?number={quote(ANN)}&numbers={quote(BOB)}&numbers={quote(CYD)}")
    assert {each["number"]: each["registered"] for each in found.json()} == {BOB: True, CYD: True}


def test_timestamps_of_polls_are_strings_and_all_others_are_integers(
    bridge: Bridge, group: str
) -> None:
    """Rule 13."""
    poll = {"recipient": group, "question": "?", "answers": ["a", "b"]}
    asked = bridge.post(f"/v1/polls/{ANN}", json=poll).json()["timestamp"]
    assert isinstance(asked, str)
    vote = {"recipient": group, "poll_author": ANN, "selected_answers": [1]}
    voted = bridge.post(f"/v1/polls/{BOB}/vote", json={**vote, "poll_timestamp": asked})
    assert voted.status_code == 204
    not_text = bridge.post(f"/v1/polls/{BOB}/vote", json={**vote, "poll_timestamp": int(asked)})
    assert not_text.status_code == 400
    timestamp = sent(bridge, message_to())
    about = {"recipient": BOB, "target_author": ANN, "reaction": "\N{RED APPLE}"}
    path = f"/v1/reactions/{ANN}"
    assert bridge.post(path, json={**about, "timestamp": timestamp}).status_code == 204
    assert bridge.post(path, json={**about, "timestamp": str(timestamp)}).status_code == 400
    quoted = message_to(quote_timestamp=timestamp, quote_author=ANN, quote_message="q")
    assert arrived(bridge, quoted)["quote"]["id"] == timestamp
    edit = message_to(edit_timestamp=timestamp)
    sent(bridge, edit)
    edited = received(bridge, BOB, lambda e: edit["message"] in str(e.get("editMessage")))
    assert edited["editMessage"]["targetSentTimestamp"] == timestamp


def test_styles_are_read_in_styled_mode_and_counted_in_utf_16(bridge: Bridge) -> None:
    """Rule 14."""
    number = unique("")
    written = f"\U0001f600 **b** *i* ***x*** ~s~ `m` ||p|| \\*not\\* {number}"
    sent(bridge, message_to(message=written, text_mode="styled"))
    arrival = data_of(received_text(bridge, BOB, f"*not* {number}"))
    assert arrival["message"] == f"\U0001f600 b i x s m p *not* {number}"
    styles = {(each["style"], each["start"], each["length"]) for each in arrival["textStyles"]}
    assert styles == {
        ("BOLD", 3, 1),
        ("ITALIC", 5, 1),
        ("BOLD", 7, 1),
        ("ITALIC", 7, 1),
        ("STRIKETHROUGH", 9, 1),
        ("MONOSPACE", 11, 1),
        ("SPOILER", 13, 1),
    }


@pytest.mark.parametrize("mode", [{}, {"text_mode": "normal"}])
def test_in_normal_mode_a_text_stays_as_it_is(bridge: Bridge, mode: dict[str, str]) -> None:
    """Rule 14."""
    text = unique("**b** *i* ~s~ `m` ||p|| \\*")
    arrival = arrived(bridge, message_to(message=text, **mode))
    assert arrival["message"] == text
    assert "textStyles" not in arrival


@pytest.mark.parametrize("authorization", ["", "Bearer x", "Basic bWU6cHc=", "nonsense"])
def test_any_authorization_is_tolerated(bridge: Bridge, authorization: str) -> None:
    """Rule 15: n8n sends an empty one."""
    headers = {"Authorization": authorization}
    assert ask(connected(bridge), "GET", "/v1/about", headers=headers)[0] == 200
    assert ask(connected(bridge), "GET", f"/v1/groups/{ANN}", headers=headers)[0] == 200
