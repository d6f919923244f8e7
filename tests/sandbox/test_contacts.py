"""Contacts, identities, the directory, profiles, devices, stickers."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from signal_bridge.sandbox.versions import Version
from tests.sandbox.daemon import ALICE, BOB, CAROL, DAVE, ROBOT, Client

CONTACT = [
    "number", "uuid", "username", "name", "givenName", "familyName", "nickName", "nickGivenName",
    "nickFamilyName", "note", "color", "isArchived", "isBlocked", "isHidden",
    "messageExpirationTime", "profileSharing", "unregistered", "profile",
]  # fmt: skip
PROFILE = [
    "lastUpdateTimestamp", "givenName", "familyName", "about", "aboutEmoji", "hasAvatar",
    "mobileCoinAddress",
]  # fmt: skip
IDENTITY = [
    "number", "uuid", "fingerprint", "safetyNumber", "scannableSafetyNumber", "trustLevel",
    "addedTimestamp",
]  # fmt: skip
PACK = "https://signal.art/addstickers/#pack_id=aabb0102&pack_key=" + "01" * 32


def contact(client: Client, number: str, account: str = ALICE) -> dict[str, Any]:
    (found,) = client.result("listContacts", account=account, recipient=number, allRecipients=True)
    return dict(found)


def test_contacts_have_the_keys_of_signal_cli_in_their_order(
    client: Client, knows: Version
) -> None:
    keys = [key for key in CONTACT if knows.archives_contacts or key != "isArchived"]
    contacts = client.result("listContacts", account=DAVE)
    assert {ALICE, BOB, CAROL, ROBOT} <= {each["number"] for each in contacts}
    assert DAVE not in {each["number"] for each in contacts}
    assert list(contacts[0]) == keys
    assert list(contacts[0]["profile"]) == PROFILE
    assert contacts[0]["profile"]["givenName"] == "Alice"
    own = client.result("listContacts", account=DAVE, allRecipients=True, internal=True)
    assert DAVE in {each["number"] for each in own}
    assert list(own[0]) == [*keys, "internal"]


def test_a_contact_is_named_and_found_by_its_name(subscriber: Client) -> None:
    assert subscriber.result("updateContact", recipient=BOB, name="Bobby", note="n") == {}
    found = subscriber.result("listContacts", name="Bobby")
    assert [(each["number"], each["note"]) for each in found] == [(BOB, "n")]
    sent = subscriber.result("send", account=BOB, recipient=ALICE, message="x")["timestamp"]
    assert subscriber.envelope(ALICE, "dataMessage", sent)["sourceName"] == "Bobby"
    names = {"givenName": "B", "familyName": "O", "nickGivenName": "N", "nickFamilyName": "F"}
    subscriber.result("updateContact", recipient=BOB, **names)
    assert contact(subscriber, BOB)["name"] == "B O"
    assert contact(subscriber, BOB)["nickName"] == "N F"


def test_a_timer_is_told_to_the_other_side_and_kept_by_both(subscriber: Client) -> None:
    subscriber.result("updateContact", recipient=CAROL, expiration=3600)
    params = subscriber.wait_for(lambda params: "'expiresInSeconds': 3600" in str(params))
    assert params["result"]["envelope"]["dataMessage"]["message"] is None
    assert contact(subscriber, CAROL)["messageExpirationTime"] == 3600
    assert contact(subscriber, ALICE, account=CAROL)["messageExpirationTime"] == 3600
    sent = subscriber.result("send", account=CAROL, recipient=ALICE, message="x")["timestamp"]
    assert subscriber.data_message(ALICE, sent)["expiresInSeconds"] == 3600


def test_a_contact_can_be_hidden_removed_or_forgotten(client: Client) -> None:
    client.result("updateContact", account=CAROL, recipient=DAVE, name="D")
    client.result("removeContact", account=CAROL, recipient=DAVE, hide=True)
    assert contact(client, DAVE, CAROL)["isHidden"] is True
    client.result("removeContact", account=CAROL, recipient=DAVE)
    assert client.result("listContacts", account=CAROL, recipient=DAVE) == []
    assert contact(client, DAVE, CAROL)["name"] == ""
    client.result("removeContact", account=CAROL, recipient=DAVE, forget=True)
    everybody = client.result("listContacts", account=CAROL, allRecipients=True)
    assert DAVE not in {each["number"] for each in everybody}
    assert client.result("removeContact", recipient="+15559998888") == {}
    text = "Can't delete self recipient"
    assert client.error("removeContact", recipient=ALICE, forget=True)["message"] == text


@pytest.mark.parametrize("method", ["updateContact", "block", "trust"])
def test_nobody_can_be_done_anything_about_who_is_not_registered(
    client: Client, method: str
) -> None:
    error = client.error(method, recipient="+15550002222", trustAllKnownKeys=True)
    text = "The user +15550002222 is not registered."
    assert error == {"code": -1, "message": text, "data": None}


@pytest.mark.parametrize("method", ["updateContact", "removeContact", "trust"])
def test_a_missing_recipient_is_refused(client: Client, method: str) -> None:
    error = client.error(method, trustAllKnownKeys=True)
    assert error == {"code": -32603, "message": '"recipient" is missing', "data": None}


def test_blocked_contacts_can_be_listed(client: Client) -> None:
    client.result("block", account=BOB, recipient=[DAVE, CAROL])
    client.result("unblock", account=BOB, recipient=CAROL)
    blocked = client.result("listContacts", account=BOB, blocked=True)
    assert [each["number"] for each in blocked] == [DAVE]
    assert client.result("block", account=BOB) == {}


def test_the_directory_knows_who_is_registered(client: Client) -> None:
    status = client.result(
        "getUserStatus", recipient=[BOB, "abc", "+15550009999"], username="carol.01"
    )
    assert [each["isRegistered"] for each in status] == [True, False, False, True]
    assert list(status[0]) == ["recipient", "number", "uuid", "isRegistered"]
    assert status[1] == {"recipient": "abc", "uuid": None, "isRegistered": False}
    assert list(status[3]) == ["recipient", "username", "uuid", "isRegistered"]
    assert client.result("getUserStatus") == []


def test_identities_are_listed_with_one_safety_number_for_both_sides(client: Client) -> None:
    (mine,) = client.result("listIdentities", number=BOB)
    (theirs,) = client.result("listIdentities", account=BOB, number=ALICE)
    assert list(mine) == IDENTITY
    assert mine["safetyNumber"] == theirs["safetyNumber"]
    assert [len(group) for group in mine["safetyNumber"].split(" ")] == [5] * 12
    assert mine["fingerprint"].startswith("05 ")
    assert len(client.result("listIdentities")) > 1


def test_an_identity_is_verified_by_its_safety_number_or_fingerprint(client: Client) -> None:
    (identity,) = client.result("listIdentities", number=CAROL)
    plain = identity["safetyNumber"].replace(" ", "")
    for number in (plain, identity["safetyNumber"], identity["fingerprint"]):
        assert client.result("trust", recipient=CAROL, verifiedSafetyNumber=number) == {}
    (identity,) = client.result("listIdentities", number=CAROL)
    assert identity["trustLevel"] == "TRUSTED_VERIFIED"
    text = "Failed to set the trust for this number, make sure the number"
    wrong = client.error("trust", recipient=CAROL, verifiedSafetyNumber="1" * 60)
    assert wrong["message"] == f"{text} and the fingerprint/safety number are correct."
    strange = client.error("trust", recipient="+12025550194", trustAllKnownKeys=True)
    assert strange["message"] == f"{text} is correct."
    unsaid = client.error("trust", recipient=CAROL)["message"]
    assert unsaid.startswith("You need to specify the fingerprint/safety number")


def test_a_profile_is_seen_by_everybody(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"hello")
    params = {"givenName": "Davide", "about": "hi", "aboutEmoji": "🙂", "avatar": str(path)}
    assert client.result("updateProfile", account=DAVE, **params) == {}
    profile = contact(client, DAVE)["profile"]
    assert (profile["givenName"], profile["about"], profile["hasAvatar"]) == ("Davide", "hi", True)
    assert client.result("getAvatar", profile=DAVE) == {"data": "aGVsbG8="}
    client.result("updateProfile", account=DAVE, removeAvatar=True, about="")
    assert contact(client, DAVE)["profile"]["about"] is None
    assert client.error("getAvatar", contact=DAVE)["message"] == "Could not find avatar"
    text = "Update profile error: /nonexistent.png (No such file or directory)"
    error = client.error("updateProfile", avatar="/nonexistent.png")
    assert error == {"code": -3, "message": text, "data": None}


def test_a_username_gets_a_number_and_leads_to_the_account(client: Client) -> None:
    given = client.result("updateAccount", account=CAROL, username="caroline")
    assert list(given) == ["username", "usernameLink"]
    assert given["username"].startswith("caroline.")
    assert given["usernameLink"].startswith("https://signal.me/#eu/")
    status = client.result("getUserStatus", username=given["username"])
    assert status[0]["isRegistered"] is True
    assert client.error("updateAccount", username=given["username"])["code"] == -3
    assert client.error("updateAccount", username="!")["message"] == "Invalid username: !"
    assert client.result("updateAccount", account=CAROL, deleteUsername=True) == {}
    assert client.result("updateAccount", deviceName="x", discoverableByNumber=True) == {}
    assert client.result("updateConfiguration", readReceipts=True) == {}
    assert client.error("updateConfiguration", readReceipts="x")["code"] == -32603


def test_devices_can_be_added_renamed_and_removed(client: Client, knows: Version) -> None:
    uri = client.result("startLink", account=None)["deviceLinkUri"]
    assert client.result("addDevice", uri=uri) == {}
    devices = client.result("listDevices")
    assert list(devices[0]) == ["id", "name", "createdTimestamp", "lastSeenTimestamp"]
    assert [device["id"] for device in devices] == [1, 2]
    if "updateDevice" not in knows.lacks:
        assert client.result("updateDevice", deviceId=2, deviceName="tablet") == {}
        assert client.result("listDevices")[1]["name"] == "tablet"
    assert client.result("removeDevice", deviceId=2) == {}
    assert len(client.result("listDevices")) == 1
    assert client.error("removeDevice", deviceId=2)["code"] == -3
    assert client.error("removeDevice")["code"] == -32603
    bad = client.error("addDevice", uri="sgnl://linkdevice?uuid=x&pub_key=y")
    assert bad["message"] == "Invalid device link"
    worse = client.error("addDevice", uri="http://x")["message"]
    assert worse == "Invalid device link uri"


def test_an_account_has_a_limit_of_devices(client: Client) -> None:
    uri = client.result("startLink", account=None)["deviceLinkUri"]
    while "error" not in (reply := client.call("addDevice", account=BOB, uri=uri)):
        assert len(client.result("listDevices", account=BOB)) <= 6
    assert reply["error"]["message"] == "Account has too many linked devices already"


def test_a_pin_can_be_set_and_removed(client: Client) -> None:
    assert client.result("setPin", pin="1234") == {}
    assert client.result("removePin") == {}
    assert client.error("setPin")["message"] == '"pin" is missing'


def test_a_sticker_pack_is_added_listed_read_and_sent(subscriber: Client) -> None:
    client = subscriber
    assert client.result("addStickerPack", uri=PACK) == {}
    (pack,) = client.result("listStickerPacks")
    assert list(pack) == ["packId", "url", "installed", "title", "author", "cover", "stickers"]
    assert (pack["packId"], pack["url"]) == ("aabb0102", PACK)
    assert list(pack["cover"]) == ["id", "emoji", "contentType"]
    assert client.result("getSticker", packId="aabb0102", stickerId=0)["data"]
    text = "Could not find sticker with ID: 1 in pack aabb"
    assert client.error("getSticker", packId="aabb", stickerId=1)["message"] == text
    assert client.error("addStickerPack", uri="https://x")["message"] == (
        "Invalid sticker pack link"
    )
    sent = client.result("send", recipient=BOB, sticker="aabb0102:0")["timestamp"]
    message = client.data_message(BOB, sent)
    assert message["sticker"] == {"packId": "aabb0102", "stickerId": 0}


@pytest.mark.parametrize("form", ["directory", "manifest", "zip"])
def test_a_sticker_pack_is_uploaded(client: Client, tmp_path: Path, form: str) -> None:
    stickers = [{"file": "s.png", "emoji": "🙂", "contentType": "image/png"}]
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"title": form, "author": "me", "stickers": stickers}))
    (tmp_path / "s.png").write_bytes(b"hello")
    with zipfile.ZipFile(tmp_path / "pack.zip", "w") as archive:
        archive.write(manifest, "manifest.json")
        archive.write(tmp_path / "s.png", "s.png")
    paths = {"directory": tmp_path, "manifest": manifest, "zip": tmp_path / "pack.zip"}
    url = client.result("uploadStickerPack", account=DAVE, path=str(paths[form]))["url"]
    packs = client.result("listStickerPacks", account=DAVE)
    (pack,) = [each for each in packs if each["url"] == url]
    assert pack["title"] == form
    sticker = client.result("getSticker", account=DAVE, packId=pack["packId"], stickerId=0)
    assert sticker == {"data": "aGVsbG8="}


def test_a_pack_without_a_manifest_is_refused(client: Client, tmp_path: Path) -> None:
    text = "Invalid sticker pack: Could not find manifest.json"
    for path in ("/nonexistent", str(tmp_path), str(tmp_path / "x.zip")):
        assert client.error("uploadStickerPack", path=path)["message"] == text
    (tmp_path / "manifest.json").write_text("[]")
    text = "Invalid sticker pack: Manifest is not valid"
    assert client.error("uploadStickerPack", path=str(tmp_path))["message"] == text
