"""Contacts, identities, accounts and devices, beyond what was recorded."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.routes.conftest import ACCOUNT
from tests.support import Bridge, ScriptedDaemon
from tests.support.scripted_daemon import error, result

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def params_of(daemon: ScriptedDaemon, method: str) -> dict[str, Any]:
    (request,) = daemon.asked(method)
    found: dict[str, Any] = request.params
    return found


def test_a_contact_can_lose_its_name_and_its_timer(served: Bridge, daemon: ScriptedDaemon) -> None:
    body = {"recipient": "foo.01", "name": "", "expiration_in_seconds": 0}
    assert served.put(f"/v1/contacts/{ACCOUNT}", json=body).status_code == 204
    assert params_of(daemon, "updateContact") == {
        "recipient": "u:foo.01",
        "name": "",
        "expiration": 0,
        "account": ACCOUNT,
    }


LINKED = error(-1, "This command doesn't work on linked devices.")


def test_a_timer_that_was_set_before_the_refusal_is_a_success(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("updateContact", LINKED)
    body = {"recipient": "+491", "expiration_in_seconds": 3600}
    answer = served.put(f"/v1/contacts/{ACCOUNT}", json=body)
    assert (answer.status_code, answer.content) == (204, b"")
    assert not daemon.asked("listContacts")


def test_a_name_that_was_refused_says_that_the_timer_was_set(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("updateContact", LINKED)
    body = {"recipient": "+491", "name": "x", "expiration_in_seconds": 3600}
    answer = served.put(f"/v1/contacts/{ACCOUNT}", json=body)
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        "Changed: expiration_in_seconds. Not changed: name. "
        "This command doesn't work on linked devices.",
    )


@pytest.mark.parametrize(("now", "status"), [(3600, 204), (0, 400)])
def test_whether_a_timer_was_set_is_looked_up(
    now: int, status: int, served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("updateContact", error(-3, "Update contact error: Connection closed!"))
    daemon.on("listContacts", result([{"number": "+491", "messageExpirationTime": now}]))
    body = {"recipient": "+491", "expiration_in_seconds": 3600}
    assert served.put(f"/v1/contacts/{ACCOUNT}", json=body).status_code == status


def test_a_refused_look_leaves_the_refusal_as_it_is(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("updateContact", error(-3, "first"))
    daemon.on("listContacts", error(-3, "second"))
    body = {"recipient": "+491", "expiration_in_seconds": 3600}
    answer = served.put(f"/v1/contacts/{ACCOUNT}", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "first")


def test_a_contact_is_found_by_username(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("listContacts", result([{"username": "foo.01"}, {"username": "other"}]))
    answer = served.get(f"/v1/contacts/{ACCOUNT}/foo.01?all_recipients=true")
    assert answer.json()["username"] == "foo.01"
    assert params_of(daemon, "listContacts") == {
        "allRecipients": True,
        "recipient": "u:foo.01",
        "account": ACCOUNT,
    }


def test_sync_can_only_be_posted(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("listContacts", result([]))
    assert served.get(f"/v1/contacts/{ACCOUNT}/sync").status_code == 404
    assert params_of(daemon, "listContacts")["recipient"] == "u:sync"
    assert served.post(f"/v1/contacts/{ACCOUNT}/sync", data=b"any").status_code == 204
    assert params_of(daemon, "sendContacts") == {"account": ACCOUNT}


def test_a_contacts_picture_comes_back_byte_for_byte(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("getAvatar", result({"data": base64.b64encode(PNG).decode()}))
    answer = served.get(f"/v1/contacts/{ACCOUNT}/+491/avatar")
    assert (answer.content, answer.headers["Content-Type"]) == (PNG, "image/png")


def test_identities_that_are_refused_are_a_500(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("listIdentities", error(-32602, "Specified account does not exist"))
    answer = served.get("/v1/identities/+4915199999")
    assert (answer.status_code, answer.json()["error"]) == (500, "Specified account does not exist")


def test_trust_by_safety_number_to_a_username(served: Bridge, daemon: ScriptedDaemon) -> None:
    body = {"verified_safety_number": "12345", "trust_all_known_keys": False}
    assert served.put(f"/v1/identities/{ACCOUNT}/trust/foo.01", json=body).status_code == 204
    assert params_of(daemon, "trust") == {
        "verified-safety-number": "12345",
        "recipient": "u:foo.01",
        "account": ACCOUNT,
    }


def test_where_a_trust_mode_cannot_be_stored_it_is_told_what_decides(served: Bridge) -> None:
    """signal-cli-rest-api #768."""
    answer = served.post(f"/v1/configuration/{ACCOUNT}/settings", json={"trust_mode": "always"})
    assert (answer.status_code, answer.json()["error"]) == (400, "Couldn't set trust mode")
    assert "JSON_RPC_TRUST_NEW_IDENTITIES" in answer.json()["detail"]


def test_a_username_that_was_refused_says_why(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("updateAccount", error(-1, "Username taken"))
    answer = served.post(f"/v1/accounts/{ACCOUNT}/username", json={"username": "foo"})
    assert (answer.status_code, answer.json()["error"]) == (400, "Username taken")


@pytest.mark.parametrize("path", ["local-data", "local-data/"])
def test_local_data_is_no_device(path: str, served: Bridge, daemon: ScriptedDaemon) -> None:
    answer = served.delete(f"/v1/devices/{ACCOUNT}/{path}")
    assert answer.status_code == 204  # the second after a redirect
    assert params_of(daemon, "deleteLocalAccountData") == {"account": ACCOUNT}
    assert not daemon.asked("removeDevice")


def test_local_data_takes_a_chunked_body(served: Bridge, daemon: ScriptedDaemon) -> None:
    chunks = iter([b'{"ignore_', b'registered": true}'])
    answer = served.delete(f"/v1/devices/{ACCOUNT}/local-data", data=chunks)
    assert answer.status_code == 204
    assert params_of(daemon, "deleteLocalAccountData")["ignore-registered"] is True


def test_a_device_is_renamed(served: Bridge, daemon: ScriptedDaemon) -> None:
    answer = served.put(f"/v1/devices/{ACCOUNT}/2", json={"device_name": "Office"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert params_of(daemon, "updateDevice") == {
        "deviceId": 2,
        "deviceName": "Office",
        "account": ACCOUNT,
    }


@pytest.mark.parametrize(
    ("device", "body", "text"),
    [
        ("two", {"device_name": "Office"}, "deviceId must be numeric"),
        ("local-data", {"device_name": "Office"}, "deviceId must be numeric"),
        ("2", {}, "Couldn't process request - device_name missing"),
        ("2", {"device_name": 2}, "Couldn't process request - invalid request"),
    ],
)
def test_a_device_is_renamed_by_its_number(
    device: str, body: dict[str, Any], text: str, served: Bridge, daemon: ScriptedDaemon
) -> None:
    answer = served.put(f"/v1/devices/{ACCOUNT}/{device}", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, text)
    assert not daemon.asked("updateDevice")


def test_a_contact_is_archived_if_signal_cli_says_so(
    served: Bridge, daemon: ScriptedDaemon
) -> None:
    daemon.on("listContacts", result([{"number": "+491", "isArchived": True}, {"number": "+492"}]))
    first, second = served.get(f"/v1/contacts/{ACCOUNT}").json()
    assert first["archived"] is True
    assert "archived" not in second


def test_a_username_that_is_taken_is_said_to_be(served: Bridge, daemon: ScriptedDaemon) -> None:
    daemon.on("updateAccount", error(-3, "Failed to set username: StatusCode: 409"))
    answer = served.post(f"/v1/accounts/{ACCOUNT}/username", json={"username": "foo.01"})
    assert answer.status_code == 400
    assert "somebody has it already" in answer.json()["error"]
