"""Contacts, and who has Signal (rest-surface.rst 5.7, search of 5.8)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Final

from signal_bridge.errors import CallTimedOut, NotFound, Refused, RequestError
from signal_bridge.signalcli import halfdone, results
from signal_bridge.signalcli.addresses import Kind, Recipient, classify, from_url, person
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.numbers import CANONICAL
from signal_bridge.signalcli.params import duration_seconds, without_none

_NOT_WHEN_LINKED: Final = "This command doesn't work on linked devices."
_REFRESHING: Final = (
    "signal-cli is still fetching the profiles of the account's contacts, as 0.14 does every six "
    "hours before it lists them; what it has by now it keeps, so ask again in a minute"
)


@dataclasses.dataclass(frozen=True)
class ContactChange:
    """The body that changes a contact; None leaves a field, an empty name or 0 seconds clear it."""

    recipient: str = ""
    name: str | None = None
    expiration_in_seconds: int | None = None


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


def still_refreshing(error: CallTimedOut) -> CallTimedOut:
    """The error of a list of contacts that took too long. To ask again does no harm, and helps."""
    told = CallTimedOut(f"{_REFRESHING} ({error})", error.request_written)
    told.retryable = True
    return told


def update_contact(number: str, change: ContactChange) -> Call:
    """Name a contact, or set after how many seconds its messages disappear.

    None leaves a field; an empty name or 0 seconds clear it (rest-surface.rst 11.14). Raises
    `RequestError` (`recipient missing`; as `person`; a time that cannot be).
    """
    if not change.recipient:
        raise RequestError("Couldn't process request - recipient missing")
    expiration = change.expiration_in_seconds
    if expiration is not None:
        duration_seconds("expiration_in_seconds", expiration)
    params = {
        "recipient": person(change.recipient),
        "name": change.name,
        "expiration": expiration,
        "account": number,
    }
    return Call("updateContact", without_none(params))


def look_at_contact(number: str, change: ContactChange, error: Refused) -> Call | None:
    """What to ask to learn how much of a refused change was made; None when that is known.

    signal-cli sets the timer first. Without one there is nothing that comes before a refusal.
    """
    if change.expiration_in_seconds is None or str(error) == _NOT_WHEN_LINKED:
        return None
    look = list_contacts(number, change.recipient, all_recipients=True)
    return dataclasses.replace(look, timeout_seconds=halfdone.LOOK_SECONDS)


def refused_change(change: ContactChange, error: Refused, result: Any = None) -> Refused | None:
    """What to tell of a refused change; None when all of it was made.

    `result` is the answer to `look_at_contact`, None without one. Before 0.13.23 signal-cli gives
    names on linked devices to nobody, and refuses what was not asked for, too, after it has set
    the timer (signal-cli.rst 2.6).
    """
    rows = result if isinstance(result, list) else []
    row = next((row for row in rows if isinstance(row, Mapping)), {})
    set_first = str(error) == _NOT_WHEN_LINKED
    timer, name = change.expiration_in_seconds, change.name
    done = {}
    if timer is not None:
        done["expiration_in_seconds"] = set_first or row.get("messageExpirationTime") == timer
    if name is not None:
        done["name"] = bool(row) and (row.get("name") or "") == name
    return halfdone.what_is_left(error, done) if done else error


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
    if not numbers:
        raise RequestError("Please provide numbers to query for")
    return numbers


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
    if not text:  # the peer hands it on; signal-cli refuses it in its own words
        return Recipient(Kind.NUMBER, text)
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
