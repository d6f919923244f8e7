"""What refers to a message that was sent: reactions, receipts, deletion … (rest-surface.rst 5.5).

Sending one is in drafts.py.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from signal_bridge.errors import RequestError
from signal_bridge.signalcli.addresses import conversation, optional_person, person
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.params import duration_seconds, timestamp_ms, without_none

REMOVED_REACTION: Final = "\N{THUMBS UP SIGN}"
"""The emoji of a reaction that is removed without one (rest-surface.rst C14)."""

PINNED_FOR_EVER: Final = -1

_MISSING: Final = "Couldn't process request - {} missing"


@dataclasses.dataclass(frozen=True)
class Reaction:
    """A reaction to the message that `target_author` sent at `timestamp` (ms)."""

    emoji: str
    target_author: str
    timestamp: int
    remove: bool = False


def react(number: str, recipient: str, reaction: Reaction) -> Call:
    """React to a message, or take that back (rest-surface.rst 5.5).

    Without an emoji, a thumbs-up is removed. Raises `RequestError` (something is missing; as
    `classify`).
    """
    if not recipient:
        raise RequestError(_MISSING.format("recipient"))
    check_reaction(reaction)
    return reaction_call(number, conversation(recipient), reaction)


def check_reaction(reaction: Reaction) -> None:
    """Raises `RequestError` for the first of its parts that is missing, and for an odd time."""
    if not reaction.emoji and not reaction.remove:
        raise RequestError(_MISSING.format("reaction"))
    if not reaction.target_author:
        raise RequestError(_MISSING.format("target_author"))
    if not reaction.timestamp:
        raise RequestError(_MISSING.format("timestamp"))
    timestamp_ms("timestamp", reaction.timestamp)


def reaction_call(number: str, destination: Mapping[str, Any], reaction: Reaction) -> Call:
    """The call that reacts in the chat of `destination`, or takes the reaction back."""
    params = {
        **destination,
        "emoji": reaction.emoji or REMOVED_REACTION,
        "target-author": person(reaction.target_author),
        "target-timestamp": reaction.timestamp,
        "remove": reaction.remove or None,
        "account": number,
    }
    return Call("sendReaction", without_none(params))


def send_receipt(number: str, recipient: str, receipt_type: str, timestamp: int) -> Call:
    """Tell `recipient` that the message of `timestamp` (ms) was read or viewed.

    signal-cli calls the kind `type`; under the peer's name every receipt is one of reading
    (rest-surface.rst 5.5, 11.5). Raises `RequestError`.
    """
    if not recipient:
        raise RequestError(_MISSING.format("recipient"))
    if receipt_type not in ("read", "viewed"):
        raise RequestError("Couldn't process request - receipt type must be read or viewed")
    if not timestamp:
        raise RequestError(_MISSING.format("timestamp"))
    params = {
        "recipient": person(recipient),
        "type": receipt_type,
        "target-timestamp": timestamp_ms("timestamp", timestamp),
        "account": number,
    }
    return Call("sendReceipt", params)


def start_typing(number: str, recipient: str) -> Call:
    """Show that the account is typing (rest-surface.rst 5.5).

    Raises `RequestError` where `classify` does.
    """
    return Call("sendTyping", {**conversation(recipient), "account": number})


def stop_typing(number: str, recipient: str) -> Call:
    """Show that it no longer is. Raises `RequestError` where `classify` does."""
    return Call("sendTyping", {**conversation(recipient), "stop": True, "account": number})


def remote_delete(number: str, recipient: str, timestamp: int) -> Call:
    """Delete the account's own message of `timestamp` (ms) for everybody (rest-surface.rst 5.5).

    Answered with `results.timestamp`. Raises `RequestError` where `classify` does, and for a time
    that is missing or odd.
    """
    if not timestamp:
        raise RequestError(_MISSING.format("timestamp"))
    params = {
        **conversation(recipient),
        "target-timestamp": timestamp_ms("timestamp", timestamp),
        "account": number,
    }
    return Call("remoteDelete", params)


def pin_message(
    number: str, group_id: str, target_author: str, timestamp: int, duration: int | None = None
) -> Call:
    """Pin a message in the group of that internal id, for `duration` seconds.

    Nothing has to be there, as in the peer (rest-surface.rst 5.4); without a duration it stays for
    ever. Raises `RequestError` for an author who can be nobody, or an odd time or duration.
    """
    lasts = PINNED_FOR_EVER if duration is None else duration
    params = {
        "target-author": optional_person(target_author),
        "target-timestamp": timestamp_ms("timestamp", timestamp),
        "pin-duration": duration_seconds("duration", lasts, PINNED_FOR_EVER),
        "group-id": group_id,
        "account": number,
    }
    return Call("sendPinMessage", params)


def unpin_message(number: str, group_id: str, target_author: str, timestamp: int) -> Call:
    """Unpin a message of the group.

    Raises `RequestError` (something is missing, or is nobody, an odd time).
    """
    if not target_author:
        raise RequestError(_MISSING.format("target author"))
    if not timestamp:
        raise RequestError(_MISSING.format("timestamp"))
    params = {
        "target-author": person(target_author),
        "target-timestamp": timestamp_ms("timestamp", timestamp),
        "group-id": group_id,
        "account": number,
    }
    return Call("sendUnpinMessage", params)
