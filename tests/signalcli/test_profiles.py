from __future__ import annotations

from typing import Any

import pytest

from signal_bridge.errors import NotFound, RequestError
from signal_bridge.signalcli import profiles
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.profiles import ProfileChange

ME = "+4915112345"


@pytest.mark.parametrize(
    ("change", "params"),
    [
        (ProfileChange("x"), {"given-name": "x", "remove-avatar": True}),
        (ProfileChange("x", keep_avatar=True), {"given-name": "x", "remove-avatar": False}),
        (
            ProfileChange("x", about="", avatar="/a.png"),
            {"given-name": "x", "avatar": "/a.png", "remove-avatar": False, "about": ""},
        ),
        (
            ProfileChange("x", lastname="y", about_emoji="🚀"),
            {"given-name": "x", "family-name": "y", "remove-avatar": True, "about-emoji": "🚀"},
        ),
    ],
)
def test_a_profile_is_changed_as_given(change: ProfileChange, params: dict[str, Any]) -> None:
    assert profiles.update_profile(ME, change) == Call("updateProfile", {**params, "account": ME})


def test_a_profile_needs_a_name() -> None:
    with pytest.raises(RequestError, match=r"^Couldn't process request - profile name missing$"):
        profiles.check_profile(ProfileChange(""))


def test_the_own_profile_is_asked_for_among_all_recipients() -> None:
    params = {"recipient": ME, "allRecipients": True, "account": ME}
    assert profiles.get_profile(ME) == Call("listContacts", params, repeatable=True)


def test_the_own_profile_is_shown_without_nulls() -> None:
    profile = {"givenName": "A", "familyName": None, "about": "b", "hasAvatar": True}
    row = {"number": ME, "uuid": "u", "username": None, "name": "", "profile": profile}
    assert profiles.profile([row]) == {
        "number": ME,
        "uuid": "u",
        "username": "",
        "given_name": "A",
        "lastname": "",
        "name": "A",
        "about": "b",
        "about_emoji": "",
        "has_avatar": True,
        "last_updated_timestamp": 0,
    }


def test_a_profile_that_is_not_known_is_not_found() -> None:
    with pytest.raises(NotFound):
        profiles.profile([])


def test_identities_are_shown_as_texts() -> None:
    row = {
        "number": None,
        "uuid": "u",
        "fingerprint": "05 ab",
        "safetyNumber": "1234",
        "trustLevel": "TRUSTED_UNVERIFIED",
        "addedTimestamp": 1700,
    }
    assert profiles.list_identities(ME) == Call("listIdentities", {"account": ME}, repeatable=True)
    assert profiles.identities([row]) == [
        {
            "number": "",
            "status": "TRUSTED_UNVERIFIED",
            "fingerprint": "05 ab",
            "added": "1700",
            "safety_number": "1234",
            "uuid": "u",
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "params"),
    [
        (("+491", None, True), {"trust-all-known-keys": True, "recipient": "+491"}),
        (("+491", "123", False), {"verified-safety-number": "123", "recipient": "+491"}),
        (("+491", "123"), {"verified-safety-number": "123", "recipient": "+491"}),
        ((" 491", None, True), {"trust-all-known-keys": True, "recipient": "+491"}),
    ],
)
def test_a_key_is_trusted(arguments: Any, params: dict[str, Any]) -> None:
    assert profiles.trust(ME, *arguments) == Call("trust", {**params, "account": ME})


NEITHER = (
    "please either provide a safety number (preferred & more secure) or set "
    "'trust_all_known_keys' to true"
)
BOTH = (
    "please either provide a safety number or set 'trust_all_known_keys' to true. "
    "But do not set both parameters at once!"
)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("",), "number to trust missing"),
        (("+491",), NEITHER),
        (("+491", None, False), NEITHER),
        (("+491", "1", True), BOTH),
        (("+491", "", True), BOTH),
        (("+491", ""), "please provide a valid safety number"),
    ],
)
def test_trust_needs_one_reason(arguments: Any, text: str) -> None:
    with pytest.raises(RequestError) as caught:
        profiles.trust(ME, *arguments)
    assert str(caught.value) == f"Couldn't process request - {text}"


def test_sticker_packs_are_listed_and_added() -> None:
    row = {"packId": "ab", "url": "u", "installed": True, "title": None, "author": "A"}
    listing = profiles.list_sticker_packs(ME)
    assert listing == Call("listStickerPacks", {"account": ME}, repeatable=True)
    assert profiles.sticker_packs([row]) == [
        {"pack_id": "ab", "url": "u", "installed": True, "title": "", "author": "A"}
    ]
    uri = "https://signal.art/addstickers/#pack_id=ab&pack_key=cd"
    adding = profiles.add_sticker_pack(ME, "ab", "cd")
    assert adding == Call("addStickerPack", {"uri": uri, "account": ME})


def test_sticker_packs_that_are_no_list_are_an_invalid_response() -> None:
    with pytest.raises(RequestError, match="invalid signal-cli response"):
        profiles.sticker_packs({})
