"""What differs between the versions of signal-cli: each that the sandbox can be does it its way."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from signal_bridge.sandbox.methods import METHODS
from signal_bridge.sandbox.versions import DEFAULT, NEW, OLD, VERSIONS, Version
from tests.sandbox.conftest import only_new
from tests.sandbox.daemon import ALICE, BOB, CAROL, DAVE, Client, Sandbox
from tests.sandbox.shapes import NEVER, aci

Start = Callable[..., Sandbox]


def test_each_difference_is_one() -> None:
    assert VERSIONS[DEFAULT] is NEW
    same = [
        field.name
        for field in dataclasses.fields(Version)
        if getattr(OLD, field.name) == getattr(NEW, field.name)
    ]
    assert same == []
    assert OLD.lacks <= set(METHODS)


def test_what_a_version_does_is_what_the_later_one_added() -> None:
    abilities = [field.name for field in dataclasses.fields(Version) if field.type == "bool"]
    assert not any(getattr(OLD, name) for name in abilities)
    assert all(getattr(NEW, name) for name in abilities)
    assert (OLD.captcha_rejected, NEW.captcha_rejected) == (-1, -6)
    assert (OLD.unasked_verification, NEW.unasked_verification) == (-32603, -3)
    assert (OLD.outdated_exit[0], NEW.outdated_exit[0]) == (2, 3)


def test_a_method_of_later_versions_is_unknown(client: Client, knows: Version) -> None:
    for method in METHODS:
        refused = client.call(method, account="+15550001111").get("error", {})
        assert (refused.get("code") == -32601) == (method in knows.lacks), method


def test_an_account_may_be_named_by_its_uuid_since_0_14(client: Client, knows: Version) -> None:
    if knows.finds_account_by_aci:
        assert client.result("listContacts", account=aci(BOB))
        sent = client.result("send", account=aci(BOB), recipient=[ALICE], message="x")
        assert sent["results"][0]["type"] == "SUCCESS"
        assert client.error("send", account=aci("+15550001111"))["code"] == -32602
    else:
        text = "Specified account does not exist"
        assert client.error("listContacts", account=aci(BOB))["message"] == text


def test_a_single_account_may_be_named_by_its_uuid_since_0_14(start: Start, knows: Version) -> None:
    sandbox = start(before=("-a", aci(BOB)))
    if knows.finds_account_by_aci:
        assert sandbox.connect().result("listContacts", account=None)
    else:
        assert sandbox.process.wait(10) == 1


def test_a_loaded_account_is_let_go_for_a_registration_since_0_14(
    start: Start, knows: Version
) -> None:
    client = start("--receive-mode", "manual").connect()
    refused = client.error("register", account=ALICE)
    if not knows.reregisters_loaded:
        assert refused["message"] == knows.registers_nobody
        return
    text = "Failed to register: Account is already registered"
    assert (refused["code"], refused["message"]) == (-3, text)
    assert {"number": ALICE} not in client.result("listAccounts", account=None)
    kept = client.error("deleteLocalAccountData", account=BOB)
    assert kept["message"].startswith("Not deleting account, it is still registered.")
    assert client.result("deleteLocalAccountData", account=CAROL, ignoreRegistered=True) == {}
    assert client.error("listContacts", account=CAROL)["code"] == -32602
    assert client.result("listContacts", account=ALICE)
    assert client.result("listContacts", account=BOB)


def test_registering_anew_makes_the_account_another_one(start: Start) -> None:
    client = start("--receive-mode", "manual").connect()
    if "error" in client.call("register", account=DAVE, reregister=True):
        client.result("unregister", account=DAVE)
        client.result("register", account=DAVE)
    assert client.result("verify", account=DAVE, verificationCode="1") == {}
    assert client.result("listContacts", account=DAVE)


def test_the_end_of_a_session_is_not_told_since_0_14(start: Start, knows: Version) -> None:
    client = start("--receive-mode", "manual").connect()
    client.result("subscribeReceive", account=None)
    group = client.result("updateGroup", name="g", member=BOB)["groupId"]
    ended = client.result("send", recipient=[CAROL], endSession=True, message="not looked at")
    if knows.ends_sessions_silently:
        assert ended == {}
    else:
        message = client.data_message(CAROL, ended["timestamp"])
        assert message["message"] is None
    error = client.error("send", groupId=group, endSession=True)
    assert error == {"code": -1, "message": "No recipients given", "data": None}


def test_no_receipt_is_sent_where_receipts_are_off_since_0_14(start: Start, knows: Version) -> None:
    client = start("--receive-mode", "manual").connect()
    client.result("updateConfiguration", readReceipts=False)
    receipt = {"recipient": BOB, "targetTimestamp": NEVER}
    results = client.result("sendReceipt", **receipt)["results"]
    assert len(results) == (0 if knows.minds_receipt_setting else 1)
    nobody = client.error("sendReceipt", recipient="+15550009999", targetTimestamp=NEVER)
    assert nobody["data"]["response"]["results"][0]["type"] == "UNREGISTERED_FAILURE"
    client.result("updateConfiguration", readReceipts=True)
    assert len(client.result("sendReceipt", **receipt)["results"]) == 1


def test_a_linked_device_names_contacts_since_0_14_and_sets_timers_in_any_case(
    client: Client, knows: Version
) -> None:
    uri = client.result("startLink", account=None)["deviceLinkUri"]
    linked = client.result("finishLink", account=None, deviceLinkUri=uri)["number"]
    reply = client.call("updateContact", account=linked, recipient=BOB, name="B", expiration=60)
    (contact,) = client.result("listContacts", account=linked, recipient=BOB)
    assert contact["messageExpirationTime"] == 60
    if knows.names_contacts_when_linked:
        assert reply["result"] == {}
        assert contact["name"] == "B"
    else:
        assert reply["error"]["message"] == "This command doesn't work on linked devices."
        assert contact["name"] == ""


def test_a_change_of_a_timer_is_marked_as_one_since_0_14(start: Start, knows: Version) -> None:
    client = start("--receive-mode", "manual").connect()
    client.result("subscribeReceive", account=None)
    client.result("updateContact", recipient=BOB, expiration=60)
    told = client.envelope(BOB, "dataMessage")["dataMessage"]
    assert (told["message"], told["expiresInSeconds"]) == (None, 60)
    assert told.get("isExpirationUpdate") is (True if knows.marks_timer_changes else None)
    sent = client.result("send", recipient=[BOB], message="x")["timestamp"]
    edit = client.result("send", recipient=[BOB], message="y", editTimestamp=sent)["timestamp"]
    edited = client.envelope(BOB, "editMessage", edit)["editMessage"]["dataMessage"]
    assert edited.get("isExpirationUpdate") is (False if knows.marks_timer_changes else None)


def test_a_reaction_reaches_oneself_if_asked_since_0_14(start: Start, knows: Version) -> None:
    client = start("--receive-mode", "manual").connect()
    client.result("subscribeReceive", account=None)
    params = {"emoji": "x", "targetTimestamp": NEVER, "notifySelf": True}
    sent = client.result("sendReaction", recipient=[ALICE], **params)["timestamp"]
    last = client.result("send", recipient=[ALICE], message="last", notifySelf=True)["timestamp"]
    client.data_message(ALICE, last)
    heard = f"'timestamp': {sent}" in str(client.notifications)
    assert heard == knows.notifies_self_of_anything


def test_a_missing_id_of_an_attachment_is_the_callers_fault_since_0_14(
    client: Client, knows: Version
) -> None:
    code = -1 if knows.wants_attachment_id else -32603
    assert client.error("getAttachment")["code"] == code


def test_files_of_the_data_directory_cannot_be_attached_since_0_14(
    sandbox: Sandbox, client: Client, knows: Version
) -> None:
    path = sandbox.config / "data" / "accounts.json"
    reply = client.call("send", recipient=[BOB], attachment=str(path))
    if knows.guards_its_data:
        why = "Attaching files from the signal-cli data directory is not allowed"
        assert reply["error"]["message"] == f"Failed to send message: {path}: {why}"
        assert reply["error"]["code"] == -32603
    else:
        assert reply["result"]


@only_new
def test_urgency_and_voice_notes_are_flags(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "note.m4a"
    path.write_bytes(b"la la la")
    note = {"recipient": [BOB], "attachment": str(path), "voiceNote": True, "noUrgent": True}
    assert client.result("send", **note)
    for name in ("voiceNote", "noUrgent"):
        assert client.error("send", recipient=[BOB], message="x", **{name: "yes"})["code"] == -32603
