"""One journey through the surface with a daemon that understands what it is told: the sandbox."""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support import Bridge, eventually

ANN, BOB, CYD = (f"+1202555010{digit}" for digit in range(3))
OFFLINE, NOBODY = "+12025550195", "+12025559999"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


@pytest.fixture(scope="module")
def sandboxed() -> Iterator[Bridge]:
    with Bridge(MODE="sandbox") as sandboxed:
        yield sandboxed.wait_ready()


@pytest.fixture(scope="module")
def group(sandboxed: Bridge) -> str:
    made = sandboxed.post(f"/v1/groups/{ANN}", json={"name": "g", "members": [BOB]})
    assert made.status_code == 201
    return str(made.json()["id"])


def done(answer: requests.Response, status: int = 204) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def sent(sandboxed: Bridge, recipient: str) -> int:
    body = {"number": ANN, "recipients": [recipient], "message": "hi"}
    (answer,) = done(sandboxed.post("/v2/send", json=body), 201)
    return int(answer["timestamp"])


def test_a_group_changes(sandboxed: Bridge, group: str) -> None:
    path = f"/v1/groups/{ANN}/{group}"
    change = {
        "name": "h",
        "description": "d",
        "expiration_time": 0,
        "base64_avatar": base64.b64encode(PNG).decode(),
        "group_link": "enabled",
        "permissions": {"add_members": "only-admins"},
    }
    done(sandboxed.put(path, json=change))
    done(sandboxed.post(f"{path}/members", json={"members": [CYD]}))
    done(sandboxed.post(f"{path}/admins", json={"admins": [BOB, CYD]}))
    done(sandboxed.delete(f"{path}/admins", json={"admins": [BOB]}))
    shown = done(sandboxed.get(path), 200)
    assert (shown["name"], shown["description"]) == ("h", "d")
    assert sorted(shown["members"]) == [ANN, BOB, CYD]
    assert sorted(shown["admins"]) == [ANN, CYD]
    assert shown["permissions"]["add_members"] == "only-admins"
    assert shown["invite_link"].startswith("https://signal.group/")
    assert sandboxed.get(f"{path}/avatar").content == PNG
    done(sandboxed.delete(f"{path}/members", json={"members": [CYD]}))
    assert CYD not in done(sandboxed.get(path), 200)["members"]


def test_a_message_is_pinned_reacted_to_read_and_deleted(sandboxed: Bridge, group: str) -> None:
    timestamp = sent(sandboxed, group)
    pin = {"target_author": ANN, "timestamp": timestamp}
    done(sandboxed.post(f"/v1/groups/{ANN}/{group}/pin-message", json=pin), 201)
    done(sandboxed.delete(f"/v1/groups/{ANN}/{group}/pin-message", json=pin), 201)
    about = {"recipient": group, "target_author": ANN, "timestamp": timestamp}
    done(sandboxed.post(f"/v1/pin-message/{BOB}", json=about | {"duration": 60}), 201)
    done(sandboxed.delete(f"/v1/pin-message/{BOB}", json=about), 201)
    done(sandboxed.post(f"/v1/reactions/{BOB}", json=about | {"reaction": "\N{RED APPLE}"}))
    done(sandboxed.delete(f"/v1/reactions/{BOB}", json=about))
    done(sandboxed.put(f"/v1/typing-indicator/{BOB}", json={"recipient": group}))
    done(sandboxed.delete(f"/v1/typing-indicator/{BOB}", json={"recipient": group}))
    receipt = {"recipient": ANN, "receipt_type": "viewed", "timestamp": timestamp}
    done(sandboxed.post(f"/v1/receipts/{BOB}", json=receipt))
    gone = sandboxed.delete(
        f"/v1/remote-delete/{ANN}", json={"recipient": group, "timestamp": timestamp}
    )
    assert int(done(gone, 201)["timestamp"]) > timestamp
    assert eventually(lambda: any(is_viewed(one) for one in polled(sandboxed, ANN)), 20)


def test_a_group_is_joined_by_its_link_until_that_is_reset(sandboxed: Bridge) -> None:
    made = sandboxed.post(f"/v1/groups/{ANN}", json={"name": "l", "group_link": "enabled"})
    path = f"/v1/groups/{ANN}/{(group := done(made, 201)['id'])}"
    old = {"invite_link": done(sandboxed.get(path), 200)["invite_link"]}
    joined = done(sandboxed.post(f"/v1/groups/{BOB}/join", json=old), 200)
    assert joined == {"id": group, "awaits_approval": False}
    new = done(sandboxed.post(f"{path}/reset-link"), 200)
    assert new != old
    done(sandboxed.post(f"/v1/groups/{CYD}/join", json=old), 400)
    done(sandboxed.put(path, json={"group_link": "enabled-with-approval"}))
    asked = done(sandboxed.post(f"/v1/groups/{CYD}/join", json=new), 200)
    assert asked == {"id": group, "awaits_approval": True}
    assert done(sandboxed.get(path), 200)["pending_requests"] == [CYD]


def polled(sandboxed: Bridge, number: str) -> list[dict[str, Any]]:
    received = done(sandboxed.get(f"/v1/receive/{number}?timeout=5"), 200)
    return [one["envelope"] for one in received]


def is_viewed(envelope: dict[str, Any]) -> bool:
    return bool((envelope.get("receiptMessage") or {}).get("isViewed"))


def test_a_poll_is_held(sandboxed: Bridge, group: str) -> None:
    question = {"recipient": group, "question": "q", "answers": ["a", "b"]}
    about = {"recipient": group} | {
        "poll_timestamp": done(sandboxed.post(f"/v1/polls/{ANN}", json=question), 201)["timestamp"]
    }
    ballot = about | {"poll_author": ANN, "selected_answers": [2]}
    done(sandboxed.post(f"/v1/polls/{BOB}/vote", json=ballot))
    done(sandboxed.delete(f"/v1/polls/{ANN}", json=about))


def test_people_are_named_found_and_trusted(sandboxed: Bridge) -> None:
    done(sandboxed.put(f"/v1/contacts/{ANN}", json={"recipient": BOB, "name": "Bee"}))
    contact = done(sandboxed.get(f"/v1/contacts/{ANN}/{BOB}"), 200)
    assert (contact["name"], contact["profile_name"]) == ("Bee", "Bob")
    done(sandboxed.put(f"/v1/contacts/{ANN}", json={"recipient": BOB, "name": ""}))
    assert done(sandboxed.get(f"/v1/contacts/{ANN}/{contact['uuid']}"), 200)["name"] == ""
    done(sandboxed.post(f"/v1/contacts/{ANN}/sync"))
    found = done(sandboxed.get("/v1/search", params={"numbers": [BOB, NOBODY]}), 200)
    assert {each["number"]: each["registered"] for each in found} == {BOB: True, NOBODY: False}
    identities = done(sandboxed.get(f"/v1/identities/{ANN}"), 200)
    number = next(each["safety_number"] for each in identities if each["number"] == BOB)
    trust = {"verified_safety_number": number, "trust_all_known_keys": False}
    done(sandboxed.put(f"/v1/identities/{ANN}/trust/{BOB}", json=trust))


def test_an_account_is_set_up(sandboxed: Bridge) -> None:
    path = f"/v1/accounts/{ANN}"
    taken = done(sandboxed.post(f"{path}/username", json={"username": "anna"}), 201)
    assert taken["username"].startswith("anna.")
    assert taken["username_link"].startswith("https://signal.me/")
    done(sandboxed.delete(f"{path}/username"))
    done(sandboxed.put(f"{path}/settings", json={"share_number": True}), 201)
    done(sandboxed.post(f"{path}/pin", json={"pin": "1234"}), 201)
    done(sandboxed.delete(f"{path}/pin"))
    uri = f"sgnl://linkdevice?uuid=x&pub_key={'A' * 43}"
    done(sandboxed.post(f"/v1/devices/{ANN}", json={"uri": uri}))
    done(sandboxed.put(f"/v1/devices/{ANN}/2", json={"device_name": "Office"}))
    phone, other = done(sandboxed.get(f"/v1/devices/{ANN}"), 200)
    assert (phone["id"], other["id"], other["name"]) == (1, 2, "Office")
    pack = {"pack_id": "ab" * 16, "pack_key": "cd" * 32}
    done(sandboxed.post(f"/v1/sticker-packs/{ANN}", json=pack), 201)
    shown = done(sandboxed.get(f"/v1/sticker-packs/{ANN}"), 200)
    assert [each["pack_id"] for each in shown] == [pack["pack_id"]]


def test_who_was_not_reached_is_in_the_answer(sandboxed: Bridge) -> None:
    body = {"number": ANN, "recipients": [OFFLINE], "message": "hi"}
    (failed,) = done(sandboxed.post("/v2/send", json=body), 400)["errors"]["recipients"]
    assert (failed["number"], failed["reason"]) == (OFFLINE, "NETWORK_FAILURE")
    (partly,) = done(sandboxed.post("/v2/send", json=body | {"recipients": [OFFLINE, BOB]}), 201)
    assert [each["number"] for each in partly["errors"]["recipients"]] == [OFFLINE]


def test_fetched_files_are_closed(sandboxed: Bridge) -> None:
    directory = sandboxed.config_dir / "attachments"
    directory.mkdir(exist_ok=True)
    (directory / "kept-open").write_bytes(PNG)
    for _ in range(3):
        assert sandboxed.get("/v1/attachments/kept-open").content == PNG
    open_files = [path for process in sandboxed.children() for path in files_of(process.pid)]
    assert open_files
    assert not [path for path in open_files if path.endswith("kept-open")]


def files_of(pid: int) -> Iterator[str]:
    """What a process has open. Some of it may be closed meanwhile."""
    for link in os.scandir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            yield os.readlink(link.path)
