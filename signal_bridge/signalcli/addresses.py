"""Whom a text means, a person, a username or a group, and where a message to it goes.

This is the one place that decides it, for all routes (rest-surface.rst 3).

Group ids have two spellings. signal-cli's own is base64 of 32 bytes, 44 characters: the
*internal id*. REST shows `group.` and the base64 of that text, which is safe in a path.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import enum
import re
from collections.abc import Sequence
from typing import Any, Final

from signal_bridge.errors import RequestError
from signal_bridge.signalcli.base64text import decode_base64, is_base64

GROUP_PREFIX: Final = "group."
INVALID_GROUP_ID: Final = "Invalid group id"

_GROUP_ID_BYTES: Final = 32
_GROUP_ID_CHARACTERS: Final = 44
_USERNAME_AFTER_GROUP_LIMIT_BYTES: Final = 10

_NUMBER: Final = re.compile(r"(\+[0-9 ]*)?")
_UUID_FORM: Final = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_UUID: Final = re.compile(
    rf"{_UUID_FORM}|\{{{_UUID_FORM}\}}|[uU][rR][nN]:[uU][uU][iI][dD]:{_UUID_FORM}|[0-9a-fA-F]{{32}}"
)
# A username starts with a letter or `_`, so a national number is none. `PNI:` and `u:` are
# signal-cli's own prefixes, and `group.` starts a username only before a discriminator.
_UNPREFIXED_USERNAME: Final = re.compile(r"(?!PNI:|u:|group\.(?![0-9]))[A-Za-z_]")


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
    """One recipient. `value` is what signal-cli wants: of a group, the internal id.

    A NUMBER is a phone number or a UUID, as it was written.
    """

    kind: Kind
    value: str


def classify(text: str) -> Recipient:
    """Whom `text` means where a message may go to anybody (rest-surface.rst 3.2).

    A group may also be given by its internal id or without the prefix; the peer takes those for
    usernames. Raises `RequestError` (`Invalid identifier …`, `Invalid Signal group size (…`).
    """
    if text.startswith(GROUP_PREFIX):
        return _after_group_prefix(text)
    if _NUMBER.fullmatch(text) or _UUID.fullmatch(text):
        return Recipient(Kind.NUMBER, text)
    group = _bare_group_id(text)
    if group is not None:
        return Recipient(Kind.GROUP, group)
    return Recipient(Kind.USERNAME, text)


def destination(recipients: Sequence[str]) -> dict[str, Any]:
    """Where a message to all of them goes: they are of one kind, for one call.

    `{"recipient": […]}`, `{"username": […]}` or `{"group-id": "…"}`, as signal-cli takes it. Raises
    `RequestError` for steps 6 to 10 of rest-surface.rst 4.2.
    """
    found = [classify(text) for text in recipients]
    kinds = {recipient.kind for recipient in found}
    for one, other, names in _NOT_TOGETHER:
        if {one, other} <= kinds:
            raise RequestError(_MIXED.format(names))
    if kinds == {Kind.GROUP}:
        return {Kind.GROUP.value: _only(found).value}
    return {kind.value: [recipient.value for recipient in found] for kind in kinds}


def destination_v1(recipients: Sequence[str], is_group: bool) -> dict[str, Any]:
    """Where a message of `/v1/send` goes. A group has no `group.` here.

    Raises `RequestError` (no recipient, more than one group, `Invalid group id`).
    """
    if not recipients:
        raise RequestError("Please specify at least one recipient")
    if not is_group:
        return {Kind.NUMBER.value: list(recipients)}
    if len(recipients) > 1:
        raise RequestError("More than one recipient is currently not allowed")
    if recipients[0].startswith(GROUP_PREFIX):
        raise RequestError(INVALID_GROUP_ID)
    return {Kind.GROUP.value: internal_group_id(recipients[0])}


def deletion_target(text: str) -> dict[str, str]:
    """Where a message is deleted; for the empty text, nothing.

    Raises `RequestError` where `classify` does.
    """
    if not text:
        return {}
    found = classify(text)
    if found.kind is Kind.GROUP:
        return {Kind.GROUP.value: found.value}
    return {Kind.NUMBER.value: person(text)}


def rest_group_id(internal_id: str) -> str:
    """The id that REST shows for a group: `group.` and 60 characters for a real one."""
    return GROUP_PREFIX + base64.b64encode(internal_id.encode("utf-8", "surrogatepass")).decode()


def internal_group_id(text: str) -> str:
    """signal-cli's id of the group that `text` names, with or without prefix, or by that very id.

    The empty text stays empty. Raises `RequestError` (`Invalid group id`).
    """
    if _is_internal_group_id(text):
        return text
    try:
        return decode_base64(text.removeprefix(GROUP_PREFIX)).decode("utf-8")
    except (RequestError, UnicodeDecodeError):
        raise RequestError(INVALID_GROUP_ID) from None


def required_group_id(text: str) -> str:
    """As `internal_group_id`, but the empty text is `Please specify a group id`."""
    if not text:
        raise RequestError("Please specify a group id")
    return internal_group_id(text)


def person(text: str) -> str:
    """How signal-cli takes a person in a parameter that holds persons of every kind.

    A username gets `u:` unless it has it (rest-surface.rst 11.15); all else stays as it is.
    """
    plain = _UUID.fullmatch(text) or _bare_group_id(text) is not None
    return f"u:{text}" if not plain and _UNPREFIXED_USERNAME.match(text) else text


def conversation(text: str) -> dict[str, str]:
    """`{"recipient": …}`, `{"group-id": …}` or, for the empty text, nothing.

    For reactions and typing, where whatever starts with `group.` is a group. Raises
    `RequestError` (`Invalid group id`).
    """
    if not text:
        return {}
    if text.startswith(GROUP_PREFIX):
        return {Kind.GROUP.value: internal_group_id(text)}
    group = _bare_group_id(text)
    return {"recipient": person(text)} if group is None else {Kind.GROUP.value: group}


def _only(groups: Sequence[Recipient]) -> Recipient:
    if len(groups) > 1:
        raise RequestError(
            "A signal message cannot be sent to more than one group at once! "
            "Please use multiple REST API calls for that."
        )
    return groups[0]


def _after_group_prefix(text: str) -> Recipient:
    rest = text.removeprefix(GROUP_PREFIX)
    if is_base64(rest):
        return Recipient(Kind.GROUP, _wrapped_group_id(rest, text))
    if len(rest.encode("utf-8", "surrogatepass")) <= _USERNAME_AFTER_GROUP_LIMIT_BYTES:
        return Recipient(Kind.USERNAME, text)
    raise RequestError(f"Invalid identifier {text}")


def _wrapped_group_id(wrapped: str, identifier: str) -> str:
    try:
        raw = decode_base64(decode_base64(wrapped))
    except RequestError:
        raise RequestError(f"Invalid identifier {identifier}") from None
    if len(raw) != _GROUP_ID_BYTES:
        # The bracket stays open in the peer, too.
        raise RequestError(f"Invalid Signal group size ({len(raw)}")
    return base64.b64encode(raw).decode()


def _bare_group_id(text: str) -> str | None:
    """The internal id, if `text` is one, or is one in base64 without the prefix."""
    if _is_internal_group_id(text):
        return text
    try:
        inner = base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return inner if _is_internal_group_id(inner) else None


def _is_internal_group_id(text: str) -> bool:
    if len(text) != _GROUP_ID_CHARACTERS:
        return False
    try:
        return len(base64.b64decode(text, validate=True)) == _GROUP_ID_BYTES
    except (binascii.Error, ValueError):
        return False
