"""Contacts, and who has Signal (rest-surface.rst 5.7, search of 5.8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from signal_bridge.errors import NotFound, RequestError
from signal_bridge.signalcli import results
from signal_bridge.signalcli.addresses import Kind, Recipient, classify, from_url, person
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.numbers import CANONICAL
from signal_bridge.signalcli.params import without_none


def list_contacts(number: str, recipient: str | None = None, all_recipients: bool = False) -> Call:
    """Ask for the contacts, or the one who is `recipient`; with `all_recipients` for anybody known.

    The recipient comes from a path. Raises `RequestError` if it is empty, or nobody.
    """
    params = {
        "allRecipients": all_recipients or None,
        "recipient": None if recipient is None else person(from_url(_require_recipient(recipient))),
        "account": number,
    }
    return Call("listContacts", without_none(params), repeatable=True)


def contacts(result: Any) -> list[dict[str, Any]]:
    """The contact objects of listContacts (12 keys, 13 with `archived`, since signal-cli 0.14.1).

    Raises `RequestError` (invalid response).
    """
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
    `RequestError` (`recipient missing`; as `person`).
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

    The recipient comes from a path. Raises `RequestError` (`uuid missing`; as `person`).
    """
    params = {"profile": person(from_url(_require_recipient(recipient))), "account": number}
    return Call("getAvatar", params, repeatable=True)


def required_numbers(numbers: Sequence[str]) -> Sequence[str]:
    """The numbers to search for. Raises `RequestError` if the request names none."""
    named = [number for number in numbers if number]
    if not named:
        raise RequestError("Please provide numbers to query for")
    return named


def search(account: str | None, numbers: Sequence[str]) -> Call:
    """Ask which numbers, or usernames, have Signal.

    They come from a query. Without an account signal-cli takes its only one (rest-surface.rst
    11.16). Raises `RequestError` for what is neither: signal-cli would look for another number.
    """
    found = [_searched(from_url(text)) for text in numbers]
    params = {
        "recipient": [one.value for one in found if one.kind is Kind.NUMBER] or None,
        "username": [one.value for one in found if one.kind is Kind.USERNAME] or None,
        "account": account,
    }
    return Call("getUserStatus", without_none(params), repeatable=True)


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


def _searched(text: str) -> Recipient:
    found = classify(text)
    if found.kind is Kind.USERNAME or CANONICAL.fullmatch(found.value):
        return found
    raise RequestError(f"{text[:100]} is neither a phone number nor a name, so it is not searched")


def _require_recipient(recipient: str) -> str:
    if not recipient:
        raise RequestError("Couldn't process request - uuid missing")
    return recipient


def _contact(row: Mapping[str, Any]) -> dict[str, Any]:
    profile = results.as_row(row.get("profile"))
    archived = {"archived": results.flag(row, "isArchived")} if "isArchived" in row else {}
    return {
        "number": results.text(row, "number"),
        "uuid": results.text(row, "uuid"),
        "name": results.text(row, "name"),
        "profile_name": results.full_name(profile),
        "username": results.text(row, "username"),
        "color": results.text(row, "color"),
        "blocked": results.flag(row, "isBlocked"),
        **archived,
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
