"""An account's own profile, identities it knows, its sticker packs (rest-surface.rst 5.8)."""

from __future__ import annotations

import dataclasses
from typing import Any

from signal_bridge.errors import NotFound, RequestError
from signal_bridge.signalcli import results
from signal_bridge.signalcli.addresses import from_url, person
from signal_bridge.signalcli.attachments import Enclosure
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.params import without_none


@dataclasses.dataclass(frozen=True)
class ProfileChange:
    """The body that changes a profile; None leaves a field, an empty text clears it.

    `avatar` is the picture, a path once it lies where signal-cli can read it. Without one the
    picture is removed, as by the peer (rest-surface.rst C19), unless `keep_avatar`. `lastname` and
    `about_emoji` are beyond the peer.
    """

    name: str
    about: str | None = None
    avatar: Enclosure | None = None
    keep_avatar: bool = False
    lastname: str | None = None
    about_emoji: str | None = None


def check_profile(change: ProfileChange) -> None:
    """What can be told before the avatar is written. Raises `RequestError` (name missing)."""
    if not change.name:
        raise RequestError("Couldn't process request - profile name missing")


def update_profile(number: str, change: ProfileChange) -> Call:
    """Change the profile. Raises `RequestError` (name missing)."""
    check_profile(change)
    params = {
        "given-name": change.name,
        "family-name": change.lastname,
        "avatar": None if change.avatar is None else str(change.avatar),
        "remove-avatar": change.avatar is None and not change.keep_avatar,
        "about": change.about,
        "about-emoji": change.about_emoji,
        "account": number,
    }
    return Call("updateProfile", without_none(params))


def refresh_profile(number: str) -> Call:
    """Upload the profile as it is, for accounts of which Signal has none of the current kind."""
    return Call("updateProfile", {"account": number})


def get_profile(number: str) -> Call:
    """Ask for the account's own profile: its entry among all who are known to it."""
    params = {"recipient": number, "allRecipients": True, "account": number}
    return Call("listContacts", params, repeatable=True)


def profile(result: Any) -> dict[str, Any]:
    """The answer of `GET /v1/profiles/{number}`, of the first entry; nothing in it is null.

    `{"number", "uuid", "username", "given_name", "lastname", "name", "about", "about_emoji",
    "has_avatar", "last_updated_timestamp"}`: `name` is the given and last name together, the
    timestamp is in ms. Raises `NotFound`, `RequestError` (invalid response).
    """
    rows = results.as_rows(result)
    if not rows:
        raise NotFound("No profile found")
    shown = results.as_row(rows[0].get("profile"))
    return {
        "number": results.text(rows[0], "number"),
        "uuid": results.text(rows[0], "uuid"),
        "username": results.text(rows[0], "username"),
        "given_name": results.text(shown, "givenName"),
        "lastname": results.text(shown, "familyName"),
        "name": results.full_name(shown),
        "about": results.text(shown, "about"),
        "about_emoji": results.text(shown, "aboutEmoji"),
        "has_avatar": results.flag(shown, "hasAvatar"),
        "last_updated_timestamp": results.number(shown, "lastUpdateTimestamp"),
    }


def list_identities(number: str) -> Call:
    """Ask for the identities that the account knows."""
    return Call("listIdentities", {"account": number}, repeatable=True)


def identities(result: Any) -> list[dict[str, str]]:
    """`[{"number", "status", "fingerprint", "added", "safety_number", "uuid"}]`, all texts."""
    return [
        {
            "number": results.text(row, "number"),
            "status": results.text(row, "trustLevel"),
            "fingerprint": results.text(row, "fingerprint"),
            "added": str(results.number(row, "addedTimestamp")),
            "safety_number": results.text(row, "safetyNumber"),
            "uuid": results.text(row, "uuid"),
        }
        for row in results.as_rows(result)
    ]


def trust(
    number: str,
    number_to_trust: str,
    verified_safety_number: str | None = None,
    trust_all_known_keys: bool | None = None,
) -> Call:
    """Trust somebody's key: the one of a safety number, or every one known.

    Whose comes from a path. Raises `RequestError` (neither is given, or both; as `person`).
    """
    if not number_to_trust:
        raise RequestError("Couldn't process request - number to trust missing")
    _check_trust(verified_safety_number, trust_all_known_keys)
    params = {
        "verified-safety-number": verified_safety_number,
        "trust-all-known-keys": trust_all_known_keys or None,
        "recipient": person(from_url(number_to_trust)),
        "account": number,
    }
    return Call("trust", without_none(params))


def list_sticker_packs(number: str) -> Call:
    """Ask for the sticker packs that are known, installed or not."""
    return Call("listStickerPacks", {"account": number}, repeatable=True)


def sticker_packs(result: Any) -> list[dict[str, Any]]:
    """`[{"pack_id", "url", "installed", "title", "author"}]`."""
    return [
        {
            "pack_id": results.text(row, "packId"),
            "url": results.text(row, "url"),
            "installed": results.flag(row, "installed"),
            "title": results.text(row, "title"),
            "author": results.text(row, "author"),
        }
        for row in results.as_rows(result)
    ]


def add_sticker_pack(number: str, pack_id: str, pack_key: str) -> Call:
    """Install a sticker pack."""
    uri = f"https://signal.art/addstickers/#pack_id={pack_id}&pack_key={pack_key}"
    return Call("addStickerPack", {"uri": uri, "account": number})


def _check_trust(safety_number: str | None, all_known_keys: bool | None) -> None:
    if safety_number is None and not all_known_keys:
        raise RequestError(
            "Couldn't process request - please either provide a safety number "
            "(preferred & more secure) or set 'trust_all_known_keys' to true"
        )
    if safety_number is not None and all_known_keys:
        raise RequestError(
            "Couldn't process request - please either provide a safety number or set "
            "'trust_all_known_keys' to true. But do not set both parameters at once!"
        )
    if safety_number == "":
        raise RequestError("Couldn't process request - please provide a valid safety number")
