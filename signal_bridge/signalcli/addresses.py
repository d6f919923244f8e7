"""Whom a text means: a person, a group, an account; and where a message to them goes.

This is the one place that reads them, for all routes (rest-surface.rst 3). Of each there is one
spelling that signal-cli is given, and what it would have to guess at never reaches it:

    a number     +4915112345         numbers.py reads the others
    a UUID       lower case, with hyphens; the PNI of somebody is PNI: and a UUID
    a username   name.01, or the link https://signal.me/#eu/…; with u: where any person may stand
    a group      the internal id     groupids.py reads the others
"""

from __future__ import annotations

import base64
import dataclasses
import enum
import re
import uuid
from collections.abc import Sequence
from typing import Any, Final

from signal_bridge.errors import RequestError
from signal_bridge.signalcli.base64text import decode_base64, is_base64
from signal_bridge.signalcli.groupids import internal_id_of, is_group_size
from signal_bridge.signalcli.numbers import CANONICAL, dialled, international, visible

GROUP_PREFIX: Final = "group."
INVALID_GROUP_ID: Final = "Invalid group id"

_USERNAME_PREFIX: Final = "u:"
_PNI_PREFIX: Final = "PNI:"
_LINK: Final = "https://signal.me/#eu/"
_SHOWN_CHARACTERS: Final = 100
# Nobody's name has so many. Each is looked at, so that megabytes of them would take minutes.
_LONGEST_CHARACTERS: Final = 1000

_UUID_FORM: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_UUID: Final = re.compile(
    rf"{_UUID_FORM}|\{{{_UUID_FORM}\}}|urn:uuid:{_UUID_FORM}|[0-9a-f]{{32}}", re.IGNORECASE
)
_PNI: Final = re.compile(f"{_PNI_PREFIX}(.*)", re.IGNORECASE | re.DOTALL)
_MARKED_USERNAME: Final = re.compile(f"{_USERNAME_PREFIX}(.*)", re.IGNORECASE | re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USERNAME: Final = re.compile(rf"{_NAME.pattern}(\.[0-9]+)?")
# What the apps show as a link: /#eu/ names by username, /#p/ by number.
_SIGNAL_ME: Final = re.compile(r"(?:https?://|sgnl://)?signal\.me/?#(eu|p)/(.+)", re.IGNORECASE)
# 48 bytes: 32 of a key, and the UUID of what it opens.
_LINKED: Final = re.compile("([A-Za-z0-9+/_-]{64})/?")
_URL_SAFE: Final = str.maketrans("+/", "-_")
_LOST_PLUS: Final = re.compile(" (?=[0-9])")
_ALL_DIGITS: Final = re.compile(r"[+0-9]+")
# Short texts are no numbers of accounts without their plus: nobody's number is shorter.
_NUMBER_WITHOUT_PLUS: Final = re.compile("[1-9][0-9]{6,14}")

_MIXED: Final = (
    "{} cannot be specified together in one request! "
    "Please split them up into multiple REST API calls."
)


class Kind(enum.Enum):
    """What a recipient is; the value is the parameter of signal-cli that takes it."""

    NUMBER = "recipient"
    GROUP = "group-id"
    USERNAME = "username"


_NOT_TOGETHER: Final = (
    (Kind.NUMBER, Kind.GROUP, "Signal Messenger Groups and phone numbers"),
    (Kind.USERNAME, Kind.GROUP, "Signal Messenger Groups and usernames"),
    (Kind.NUMBER, Kind.USERNAME, "Signal Messenger phone numbers and usernames"),
)


@dataclasses.dataclass(frozen=True)
class Recipient:
    """One recipient. `value` is what signal-cli's parameter of that kind takes.

    A NUMBER is a phone number, a UUID or a PNI. A GROUP is named by its internal id, a USERNAME
    without `u:`.
    """

    kind: Kind
    value: str


# The empty text, which the peer hands on among recipients; signal-cli refuses it in its own words.
_NOBODY: Final = Recipient(Kind.NUMBER, "")


def classify(text: str) -> Recipient:
    """Whom `text` means (rest-surface.rst 3.2).

    Raises `RequestError` when it can be nobody: `… is not an international number: …`,
    `Invalid group id`, `Invalid identifier …`, `Invalid Signal group size (…`.
    """
    if CANONICAL.fullmatch(text):
        return Recipient(Kind.NUMBER, text)
    if len(text) > _LONGEST_CHARACTERS:
        raise RequestError(_complaint(visible(text[:_LONGEST_CHARACTERS])))
    plain = visible(text)
    found = _number_or_uuid(plain) or _group(plain) or _username(plain)
    if found is None:
        raise RequestError(_complaint(plain))
    return found


def person(text: str) -> str:
    """How signal-cli takes a person in a parameter that holds persons of every kind.

    A username gets `u:` (rest-surface.rst 11.15). Raises `RequestError` where `classify` does, and
    for a group.
    """
    found = classify(text)
    if found.kind is Kind.GROUP:
        raise RequestError(f"{_shown(text)} is a group, and a person belongs here")
    return f"{_USERNAME_PREFIX}{found.value}" if found.kind is Kind.USERNAME else found.value


def optional_person(text: str) -> str:
    """As `person`; the empty text names nobody and stays empty."""
    return person(text) if text else text


def mentioned(text: str) -> str:
    """As `person`, of whom a mention names.

    A name without a number after it is nobody's and stays as it is, as in the peer.
    """
    is_name = _NAME.fullmatch(text) and not _UUID.fullmatch(text)
    return text if is_name else person(text)


def from_url(text: str) -> str:
    """A text of a path or query, where a plus that was not escaped may have become a space."""
    return _LOST_PLUS.sub("+", text, count=1) if _LOST_PLUS.match(text) else text


def account(text: str) -> str:
    """The account that `text` names, in signal-cli's spelling.

    Its number may be without a plus, since an account is never named by a national number; a UUID
    is an account to signal-cli 0.14. What is neither stays as it is: there is no such account, and
    signal-cli says so.
    """
    if CANONICAL.fullmatch(text) or len(text) > _LONGEST_CHARACTERS:
        return text
    found = _number_or_uuid(visible(text))
    if found is not None:
        return found.value
    digits = dialled(text)
    return f"+{digits}" if _NUMBER_WITHOUT_PLUS.fullmatch(digits) else text


def number_to_register(text: str) -> str:
    """The number of an account that is to be; the empty text stays empty.

    Raises `RequestError` for what is no international number: Signal would call somebody else.
    """
    number = international(from_url(text))
    if number is None and text:
        raise RequestError(_no_number(text))
    return number or text


def sender(text: str) -> str:
    """From whom an event is: a number or a UUID. Raises `RequestError` for all else."""
    found = classify(text)
    if found.kind is not Kind.NUMBER:
        raise RequestError(f"{_shown(text)} sends no events: they are told by number and by UUID")
    return found.value


def destination(recipients: Sequence[str]) -> dict[str, Any]:
    """Where a message to all of them goes: they are of one kind, for one call.

    `{"recipient": […]}`, `{"username": […]}` or `{"group-id": "…"}`, as signal-cli takes it. Raises
    `RequestError` for steps 6 to 10 of rest-surface.rst 4.2.
    """
    found = [classify(text) if text else _NOBODY for text in recipients]
    kinds = {recipient.kind for recipient in found}
    for one, other, names in _NOT_TOGETHER:
        if {one, other} <= kinds:
            raise RequestError(_MIXED.format(names))
    if kinds == {Kind.GROUP}:
        return {Kind.GROUP.value: _only(found).value}
    return {kind.value: [recipient.value for recipient in found] for kind in kinds}


def destination_v1(recipients: Sequence[str], is_group: bool) -> dict[str, Any]:
    """Where a message of `/v1/send` goes: to people of every kind, or to one group.

    Raises `RequestError` (no recipient, more than one group, `Invalid group id`, or as
    `destination`).
    """
    if not recipients:
        raise RequestError("Please specify at least one recipient")
    if is_group and len(recipients) > 1:
        raise RequestError("More than one recipient is currently not allowed")
    if is_group and recipients[0].startswith(GROUP_PREFIX):  # as in the peer
        raise RequestError(INVALID_GROUP_ID)
    if is_group:
        return {Kind.GROUP.value: internal_group_id(recipients[0] or GROUP_PREFIX)}
    if any(classify(text).kind is Kind.GROUP for text in recipients):
        return destination(recipients)
    return {Kind.NUMBER.value: list(map(person, recipients))}


def conversation(text: str) -> dict[str, str]:
    """`{"recipient": …}`, `{"group-id": …}` or, for the empty text, nothing.

    Raises `RequestError` where `classify` does.
    """
    if not text:
        return {}
    found = classify(text)
    if found.kind is Kind.GROUP:
        return {Kind.GROUP.value: found.value}
    return {Kind.NUMBER.value: person(text)}


def rest_group_id(internal_id: str) -> str:
    """The id that REST shows for a group: `group.` and 60 characters, of a legacy group 32."""
    return GROUP_PREFIX + base64.b64encode(internal_id.encode("utf-8", "surrogatepass")).decode()


def group_id(text: str) -> str | None:
    """signal-cli's id of the group that `text` names, with or without prefix; None for no group."""
    if len(text) > _LONGEST_CHARACTERS:
        return None
    return internal_id_of(visible(text).removeprefix(GROUP_PREFIX))


def internal_group_id(text: str) -> str:
    """As `group_id`; the empty text stays empty. Raises `RequestError` (`Invalid group id`)."""
    found = group_id(text)
    if found is None and text:
        raise RequestError(INVALID_GROUP_ID)
    return found or text


def required_group_id(text: str) -> str:
    """As `internal_group_id`, but the empty text is `Please specify a group id`."""
    if not text:
        raise RequestError("Please specify a group id")
    return internal_group_id(text)


# -- one kind after the other ----------------------------------------------------------------------


def _number_or_uuid(text: str) -> Recipient | None:
    by_number = _SIGNAL_ME.fullmatch(text)
    if by_number is not None and by_number[1].lower() == "p":
        text = by_number[2]
    pni = _PNI.fullmatch(text)
    found = _uuid(text if pni is None else pni[1].strip())
    if found is not None:
        return Recipient(Kind.NUMBER, found if pni is None else f"{_PNI_PREFIX}{found}")
    number = international(text)
    return None if number is None else Recipient(Kind.NUMBER, number)


def _uuid(text: str) -> str | None:
    return str(uuid.UUID(text.lower())) if _UUID.fullmatch(text) else None


def _group(text: str) -> Recipient | None:
    found = group_id(text)
    if found is not None:
        return Recipient(Kind.GROUP, found)
    if not text.startswith(GROUP_PREFIX):
        return None
    rest = text.removeprefix(GROUP_PREFIX)
    if is_base64(rest):
        raise _no_group(rest, text)
    if rest.isdecimal():
        return None  # a username: its name is "group"
    raise RequestError(INVALID_GROUP_ID)


def _no_group(wrapped: str, identifier: str) -> RequestError:
    """What the peer says of base64 that is no group's."""
    try:
        size_bytes = len(decode_base64(decode_base64(wrapped)))
    except RequestError:
        size_bytes = None
    if size_bytes is None or is_group_size(size_bytes):
        return RequestError(f"Invalid identifier {_shown(identifier)}")
    # The bracket stays open in the peer, too.
    return RequestError(f"Invalid Signal group size ({size_bytes}")


def _username(text: str) -> Recipient | None:
    marked = _MARKED_USERNAME.fullmatch(text)
    name = text if marked is None else marked[1].strip()
    link = _SIGNAL_ME.fullmatch(name)
    if link is not None and link[1].lower() == "eu":
        return _linked_username(link[2])
    return Recipient(Kind.USERNAME, name) if _USERNAME.fullmatch(name) else None


def _linked_username(encoded: str) -> Recipient | None:
    """signal-cli takes the link for the username, in this form alone (signal-cli.rst 2.10)."""
    linked = _LINKED.fullmatch(encoded)
    return linked and Recipient(Kind.USERNAME, _LINK + linked[1].translate(_URL_SAFE))


# -- what is said of a text that is nothing --------------------------------------------------------


def _complaint(text: str) -> str:
    if not text:
        return "A recipient is empty"
    if text.startswith("+") or _ALL_DIGITS.fullmatch(dialled(text)):
        return _no_number(text)
    return (
        f"{_shown(text)} names nobody: a number begins with + and the country code, "
        "a name is like name.01, and an id is a UUID or begins with group."
    )


def _no_number(text: str) -> str:
    return (
        f"{_shown(text)} is not an international number: it must begin with + and the country code"
    )


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _only(groups: Sequence[Recipient]) -> Recipient:
    if len(groups) > 1:
        raise RequestError(
            "A signal message cannot be sent to more than one group at once! "
            "Please use multiple REST API calls for that."
        )
    return groups[0]
