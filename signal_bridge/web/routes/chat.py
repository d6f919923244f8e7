"""What goes with messages: typing, reactions, receipts, pins, deletion (rest-surface.rst 5.5).

Where no group is in the path the body is read before the number, and a `recipient` is a number, a
UUID, a username or a group.
"""

from __future__ import annotations

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from signal_bridge.signalcli import messages, results, sentmessages
from signal_bridge.signalcli.addresses import required_group_id
from signal_bridge.signalcli.messages import Reaction
from signal_bridge.web.edge.inputs import account_number, read_body, required_number
from signal_bridge.web.routes.outcomes import run_for_each
from signal_bridge.web.schemas.chat import (
    ADMIN_DELETE,
    PIN_MESSAGE,
    REACT,
    RECEIPT,
    REMOTE_DELETE,
    TYPING,
    UNPIN_MESSAGE,
)


def start_typing(number: str) -> ResponseReturnValue:
    """Show `recipient` that the account is typing. 204.

    Signal stops showing it after 15 seconds, or when a message comes. 400 for an impossible
    group id.
    """
    body = read_body(TYPING)
    number = required_number(number)
    run_for_each(messages.start_typing(number, body["recipient"]))
    return "", 204


def stop_typing(number: str) -> ResponseReturnValue:
    """Show `recipient` that the account is no longer typing. 204.

    400 for an impossible group id.
    """
    body = read_body(TYPING)
    number = required_number(number)
    run_for_each(messages.stop_typing(number, body["recipient"]))
    return "", 204


def react(number: str) -> ResponseReturnValue:
    """React with the emoji `reaction` to a message of the chat with `recipient`. 204.

    The message is the one that `target_author` sent at `timestamp` (ms). 400 when one of them is
    missing.
    """
    return _react(number, remove=False)


def take_reaction_back(number: str) -> ResponseReturnValue:
    """Take a reaction back. 204.

    The body is the one that reacted; `reaction` may be left out. 400 when another is missing.
    """
    return _react(number, remove=True)


def send_receipt(number: str) -> ResponseReturnValue:
    """Tell `recipient` that the message of `timestamp` (ms) was `read` or `viewed`. 204.

    `receipt_type` is one of these two words. `recipient` is a person, never a group. 400 when
    something is missing.
    """
    body = read_body(RECEIPT)
    number = required_number(number)
    run_for_each(messages.send_receipt(number, **body))
    return "", 204


def remote_delete(number: str) -> ResponseReturnValue:
    """Delete the account's own message of `timestamp` (ms) for everybody in the chat. 201.

    Answers `{"timestamp": "1700000000123"}`, that of the deletion. 400 for an impossible
    `recipient`.
    """
    body = read_body(REMOTE_DELETE)
    number = required_number(number)
    result = run_for_each(messages.remote_delete(number, **body))
    return jsonify(results.timestamp(result)), 201


def admin_delete(number: str, group_id: str) -> ResponseReturnValue:
    """Delete a member's message for everybody in the group, as one of its admins. 201.

    The message is the one that `target_author` sent at `timestamp` (ms). Answers
    `{"timestamp": "1700000000123"}`, that of the deletion. 400 when one of the two is missing, or
    the account is not in the group; 501 before signal-cli 0.14.0.
    """
    number = required_number(number)
    internal_id = required_group_id(group_id)
    body = read_body(ADMIN_DELETE)
    result = run_for_each(sentmessages.admin_delete(number, internal_id, **body))
    return jsonify(results.timestamp(result)), 201


def pin_message(number: str) -> ResponseReturnValue:
    """Pin a message in the chat with `recipient`. 201, no body.

    The message is the one that `target_author` sent at `timestamp` (ms). `duration` is in seconds;
    without it the message stays pinned. 400 when something is missing or impossible; 501 before
    signal-cli 0.14.0.
    """
    body = read_body(PIN_MESSAGE)
    number = required_number(number)
    run_for_each(sentmessages.pin(number, **body))
    return "", 201


def unpin_message(number: str) -> ResponseReturnValue:
    """Unpin a message in the chat with `recipient`. 201, no body.

    The body is the one that pinned it; `duration` means nothing. 400 when something is missing;
    501 before signal-cli 0.14.0.
    """
    body = read_body(UNPIN_MESSAGE)
    number = required_number(number)
    run_for_each(sentmessages.unpin(number, **body))
    return "", 201


def _react(number: str, remove: bool) -> ResponseReturnValue:
    body: dict[str, Any] = read_body(REACT)
    number = account_number(number)
    reaction = Reaction(body["reaction"], body["target_author"], body["timestamp"], remove)
    run_for_each(messages.react(number, body["recipient"], reaction))
    return "", 204
