"""What goes with messages: typing, reactions, receipts, deletion (rest-surface.rst 5.5).

In all of them the body is read before the number, and a `recipient` is a number, a UUID, a
username or a group.
"""

from __future__ import annotations

from typing import Any

from flask import jsonify
from flask.typing import ResponseReturnValue

from signal_bridge.signalcli import messages, results
from signal_bridge.signalcli.messages import Reaction
from signal_bridge.web.edge.inputs import account_number, read_body, required_number
from signal_bridge.web.routes.outcomes import run_for_each
from signal_bridge.web.schemas.chat import REACT, RECEIPT, REMOTE_DELETE, TYPING


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


def _react(number: str, remove: bool) -> ResponseReturnValue:
    body: dict[str, Any] = read_body(REACT)
    number = account_number(number)
    reaction = Reaction(body["reaction"], body["target_author"], body["timestamp"], remove)
    run_for_each(messages.react(number, body["recipient"], reaction))
    return "", 204
