"""Contacts, and who has Signal (rest-surface.rst 5.7, search of 5.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from signal_bridge.errors import NotFound, RequestError
from signal_bridge.signalcli import results
from signal_bridge.signalcli.addresses import person
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.params import without_none


def list_contacts(number: str, recipient: str | None = None, all_recipients: bool = False) -> Call:
    """Ask for the contacts, or the one who is `recipient`; with `all_recipients` for anybody known.

    Raises `RequestError` if the recipient is empty.
    """
    params = {
        "allRecipients": all_recipients or None,
        "recipient": None if recipient is None else person(_require_recipient(recipient)),
        "account": number,
    }
    return Call("listContacts", without_none(params), repeatable=True)


def contacts(result: Any) -> list[dict[str, Any]]:
    """The contact objects of listContacts (12 keys). Raises `RequestError` (invalid response)."""
    return list(map(_contact, results.as_rows(result)))


def one_contact(result: Any, recipient: str) -> dict[str, Any]:
    """The first contact object. Raises `NotFound` if there is none."""
    rows = results.as_rows(result)
    if not rows:
        raise NotFound(f"No user with that id ({recipient}) found")
    return _contact(rows[0])


def update_contact(
    number: str, recipient: str, name: str | None = None, expiration_in_seconds: int | None = None
) -> Call:
    """Name a contact, or set after how many seconds its messages disappear.

    None leaves a field; an empty name or 0 seconds clear it (rest-surface.rst 11.14). Raises
    `RequestError` (`recipient missing`).
    """
    if not recipient:
        raise RequestError("Couldn't process request - recipient missing")
    params = {
        "recipient": person(recipient),
        "name": name,
        "expiration": expiration_in_seconds,
        "account": number,
    }
    return Call("updateContact", without_none(params))


def sync_contacts(number: str) -> Call:
    """Send the contacts to the account's other devices."""
    return Call("sendContacts", {"account": number})


def get_contact_avatar(number: str, recipient: str) -> Call:
    """Ask for somebody's profile picture; `attachments.avatar` reads it.

    Raises `RequestError` (`uuid missing`).
    """
    params = {"profile": person(_require_recipient(recipient)), "account": number}
    return Call("getAvatar", params, repeatable=True)


def required_numbers(numbers: Sequence[str]) -> Sequence[str]:
    """The numbers to search for. Raises `RequestError` if the request names none."""
    if not numbers:
        raise RequestError("Please provide numbers to query for")
    return numbers


def search(account: str | None, numbers: Sequence[str]) -> Call:
    """Ask which numbers have Signal.

    Without an account signal-cli takes its only one (rest-surface.rst 11.16).
    """
    params = without_none({"recipient": list(numbers), "account": account})
    return Call("getUserStatus", params, repeatable=True)


def found_numbers(result: Any) -> list[dict[str, Any]]:
    """`[{"number", "registered"}]`.

    Without a number it is what was searched for (rest-surface.rst 11.17).
    """
    return [
        {
            "number": results.text(row, "number") or results.text(row, "recipient"),
            "registered": results.flag(row, "isRegistered"),
        }
        for row in results.as_rows(result)
    ]


def _require_recipient(recipient: str) -> str:
    if not recipient:
        raise RequestError("Couldn't process request - uuid missing")
    return recipient


def _contact(row: Mapping[str, Any]) -> dict[str, Any]:
    profile = results.as_row(row.get("profile"))
    return {
        "number": results.text(row, "number"),
        "uuid": results.text(row, "uuid"),
        "name": results.text(row, "name"),
        "profile_name": results.full_name(profile),
        "username": results.text(row, "username"),
        "color": results.text(row, "color"),
        "blocked": results.flag(row, "isBlocked"),
        "message_expiration": _expiration(row),
        "note": results.text(row, "note"),
        "profile": {
            "given_name": results.text(profile, "givenName"),
            "lastname": results.text(profile, "familyName"),
            "about": results.text(profile, "about"),
            "has_avatar": results.flag(profile, "hasAvatar"),
            "last_updated_timestamp": results.number(profile, "lastUpdateTimestamp"),
        },
        "given_name": results.text(row, "givenName"),
        "nickname": {
            "name": results.text(row, "nickName"),
            "given_name": results.text(row, "nickGivenName"),
            "family_name": results.text(row, "nickFamilyName"),
        },
    }


def _expiration(row: Mapping[str, Any]) -> str:
    """Seconds as a text, which is the type that clients know (rest-surface.rst 11.7)."""
    known = row.get("messageExpirationTime") is not None
    return str(results.number(row, "messageExpirationTime")) if known else ""
