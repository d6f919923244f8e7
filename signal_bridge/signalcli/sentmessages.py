"""What is done to one message of a chat, which is named by its author and its time.

It is pinned, unpinned, or deleted by an admin of the group (rest-surface.rst 13.1, 13.2). Whom that
did not reach is in the result, as of a send.
"""

from __future__ import annotations

from typing import Any, Final

from signal_bridge.errors import RequestError
from signal_bridge.signalcli.addresses import conversation, person
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.messages import PINNED_FOR_EVER
from signal_bridge.signalcli.params import LONGEST_SECONDS, timestamp_ms

_MISSING: Final = "Couldn't process request - {} missing"


def pin(
    number: str, recipient: str, target_author: str, timestamp: int, duration: int | None = None
) -> Call:
    """Pin a message in the chat with `recipient`, a person or a group, for `duration` seconds.

    Without a duration it stays pinned. Since signal-cli 0.14.0. Raises `RequestError` (something
    is missing, an odd time, an impossible duration, `Invalid group id`).
    """
    seconds = PINNED_FOR_EVER if duration is None else duration
    message = {**_chat(recipient), **_message(target_author, timestamp)}
    if seconds != PINNED_FOR_EVER and not 1 <= seconds <= LONGEST_SECONDS:
        raise RequestError(
            f"Couldn't process request - duration must be between 1 and {LONGEST_SECONDS} seconds;"
            " without it the message stays pinned"
        )
    return Call("sendPinMessage", {**message, "pin-duration": seconds, "account": number})


def unpin(number: str, recipient: str, target_author: str, timestamp: int) -> Call:
    """Unpin a message in the chat with `recipient`. Raises `RequestError` as `pin`."""
    message = {**_chat(recipient), **_message(target_author, timestamp)}
    return Call("sendUnpinMessage", {**message, "account": number})


def admin_delete(number: str, group_id: str, target_author: str, timestamp: int) -> Call:
    """Delete a member's message for everybody in the group of that internal id.

    The account has to be an admin of it. Since signal-cli 0.14.0. Answered with
    `results.timestamp`. Raises `RequestError` (something is missing, an odd time).
    """
    message = _message(target_author, timestamp)
    return Call("sendAdminDelete", {**message, "group-id": group_id, "account": number})


def _chat(recipient: str) -> dict[str, str]:
    if not recipient:
        raise RequestError(_MISSING.format("recipient"))
    return conversation(recipient)


def _message(target_author: str, timestamp: int) -> dict[str, Any]:
    if not target_author:
        raise RequestError(_MISSING.format("target_author"))
    if not timestamp:
        raise RequestError(_MISSING.format("timestamp"))
    return {
        "target-author": person(target_author),
        "target-timestamp": timestamp_ms("timestamp", timestamp),
    }
