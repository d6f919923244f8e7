"""Messages: sending them, and what refers to one that was sent (rest-contract.md 4, 5.5)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import results, textstyle
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.params import given
from signal_bridge.signalcli.recipients import (
    GROUP_PREFIX,
    INVALID_GROUP_ID,
    Kind,
    Recipient,
    classify,
    conversation,
    internal_group_id,
    person,
)

REMOVED_REACTION: Final = "\N{THUMBS UP SIGN}"
"""The emoji of a reaction that is removed without one (C14)."""

PINNED_FOR_EVER: Final = -1

_MISSING: Final = "Couldn't process request - {} missing"
_MIXED: Final = (
    "{} cannot be specified together in one request! "
    "Please split them up into multiple REST API calls."
)
_NOT_TOGETHER: Final = (
    (Kind.NUMBER, Kind.GROUP, "Signal Messenger Groups and phone numbers"),
    (Kind.USERNAME, Kind.GROUP, "Signal Messenger Groups and usernames"),
    (Kind.NUMBER, Kind.USERNAME, "Signal Messenger phone numbers and usernames"),
)


@dataclasses.dataclass(frozen=True)
class Mention:
    """`author` is named at UTF-16 units `start` to `start + length` of the text as sent."""

    start: int = 0
    length: int = 0
    author: str = ""


@dataclasses.dataclass(frozen=True)
class LinkPreview:
    """The card under a message. `image_path` is its thumbnail, once that is on the disk."""

    url: str = ""
    title: str = ""
    description: str = ""
    image_path: str | None = None


@dataclasses.dataclass(frozen=True)
class Reaction:
    """A reaction to the message that `target_author` sent at `timestamp` (ms)."""

    emoji: str
    target_author: str
    timestamp: int
    remove: bool = False


@dataclasses.dataclass(frozen=True)
class Message:
    """The body of `/v2/send`, read and typed (rest-contract.md 4.1).

    `attachments` are paths of files that signal-cli can read. `styled` is `text_mode` with its
    default applied. Timestamps are in ms. None is a field that was not given.

    Beyond the peer: `reaction` makes the request a reaction instead of a message; the fields
    from `voice_note` on are signal-cli's own, and are sent only when given. `text_styles` are
    `start:length:STYLE`, for texts whose stars are meant as stars.
    """

    number: str
    recipients: Sequence[str]
    message: str = ""
    attachments: Sequence[str] = ()
    sticker: str = ""
    mentions: Sequence[Mention] = ()
    quote_timestamp: int | None = None
    quote_author: str | None = None
    quote_message: str | None = None
    quote_mentions: Sequence[Mention] = ()
    styled: bool = False
    edit_timestamp: int | None = None
    notify_self: bool = True
    link_preview: LinkPreview | None = None
    view_once: bool = False
    reaction: Reaction | None = None
    voice_note: bool = False
    no_urgent: bool = False
    story_timestamp: int | None = None
    story_author: str | None = None
    text_styles: Sequence[str] = ()


def check(message: Message, attachments: int) -> None:
    """Everything about a `/v2/send` that can be told before its files are written.

    `attachments` is how many it carries. Raises `RequestError` for the first of steps 2 to 11 of
    rest-contract.md 4.2 that fails.
    """
    if not message.recipients:
        raise RequestError("Couldn't process request - please provide at least one recipient")
    if not message.number:
        raise RequestError("Couldn't process request - please provide a valid number")
    if message.sticker and ":" not in message.sticker:
        raise RequestError("Couldn't process request - please provide valid sticker delimiter")
    if message.view_once and not attachments:
        raise RequestError("'view_once' can only be set for image attachments!")
    destination(message.recipients)
    if message.link_preview is not None:
        _check_link_preview(message.link_preview, message.message)
    if message.reaction is not None:
        _check_reaction(message.reaction)
        if message.message or attachments or message.sticker:
            raise RequestError("A reaction cannot be sent together with a message!")


def destination(recipients: Sequence[str]) -> dict[str, Any]:
    """`{"recipient": […]}`, `{"username": […]}` or `{"group-id": "…"}`: one kind, one call.

    Raises `RequestError` for steps 6 to 10 of rest-contract.md 4.2.
    """
    found = [classify(text) for text in recipients]
    kinds = {recipient.kind for recipient in found}
    for one, other, names in _NOT_TOGETHER:
        if {one, other} <= kinds:
            raise RequestError(_MIXED.format(names))
    if kinds == {Kind.GROUP}:
        return {Kind.GROUP.value: _only(found).value}
    return {kind.value: [recipient.value for recipient in found] for kind in kinds}


def send(message: Message) -> Call:
    """The one call that `/v2/send` makes: `send`, or `sendReaction` (rest-contract.md 4.5).

    Raises `RequestError` where `destination` does.
    """
    if message.reaction is not None:
        target = destination(message.recipients)
        return Call("sendReaction", _reaction(message.number, target, message.reaction))
    styled = textstyle.parse(message.message) if message.styled else None
    params = {
        **destination(message.recipients),
        "message": message.message if styled is None else styled.text,
        "attachment": list(message.attachments) or None,
        "sticker": message.sticker or None,
        "mentions": _mentions(message.mentions),
        **_quote(message),
        "text-style": [*(styled.styles if styled else ()), *message.text_styles] or None,
        "edit-timestamp": message.edit_timestamp,
        "notify-self": message.notify_self or None,
        "view-once": message.view_once or None,
        **_preview(message.link_preview),
        "voice-note": message.voice_note or None,
        "no-urgent": message.no_urgent or None,
        "story-timestamp": message.story_timestamp,
        "story-author": message.story_author,
        "account": message.number,
    }
    return Call("send", given(params))


def send_v1(
    number: str, recipients: Sequence[str], message: str, attachment: str | None, is_group: bool
) -> Call:
    """The call of `/v1/send` (4.6): nothing classified, nothing styled.

    `attachment` is the path of the one file. Raises `RequestError` where `destination_v1` does.
    """
    params = {
        **destination_v1(recipients, is_group),
        "message": message,
        "attachment": None if attachment is None else [attachment],
        "notify-self": True,
        "account": number,
    }
    return Call("send", given(params))


def destination_v1(recipients: Sequence[str], is_group: bool) -> dict[str, Any]:
    """Whom `/v1/send` goes to. A group has no `group.` here.

    Raises `RequestError` (no recipient, more than one group, `Invalid group id`).
    """
    if not recipients:
        raise RequestError("Please specify at least one recipient")
    if not is_group:
        return {"recipient": list(recipients)}
    if len(recipients) > 1:
        raise RequestError("More than one recipient is currently not allowed")
    if recipients[0].startswith(GROUP_PREFIX):
        raise RequestError(INVALID_GROUP_ID)
    return {"group-id": internal_group_id(recipients[0])}


def sent(result: Any) -> dict[str, Any]:
    """What a send answers: `{"timestamp": "…", "errors"?: {"recipients": [{…, "reason"}]}}`.

    One entry for each recipient that was not reached, in signal-cli's order. Raises
    `RequestError` (invalid response).
    """
    outcomes = results.as_rows(results.as_row(result).get("results"))
    failed = [outcome for outcome in outcomes if results.text(outcome, "type") != "SUCCESS"]
    errors = {"errors": {"recipients": list(map(_failure, failed))}} if failed else {}
    return {**results.timestamp(result), **errors}


def react(number: str, recipient: str, reaction: Reaction) -> Call:
    """React to a message, or take that back (5.5).

    Without an emoji, a thumbs-up is removed. Raises `RequestError` (something is missing,
    `Invalid group id`).
    """
    if not recipient:
        raise RequestError(_MISSING.format("recipient"))
    _check_reaction(reaction)
    return Call("sendReaction", _reaction(number, conversation(recipient), reaction))


def send_receipt(number: str, recipient: str, receipt_type: str, timestamp: int) -> Call:
    """Tell `recipient` that the message of `timestamp` (ms) was read or viewed (5.5).

    signal-cli calls the kind `type`; under the peer's name every receipt is one of reading
    (11.5). Raises `RequestError`.
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
        "target-timestamp": timestamp,
        "account": number,
    }
    return Call("sendReceipt", params)


def start_typing(number: str, recipient: str) -> Call:
    """Show that the account is typing (5.5). Raises `RequestError` (`Invalid group id`)."""
    return Call("sendTyping", {**conversation(recipient), "account": number})


def stop_typing(number: str, recipient: str) -> Call:
    """Show that it no longer is. Raises `RequestError` (`Invalid group id`)."""
    return Call("sendTyping", {**conversation(recipient), "stop": True, "account": number})


def remote_delete(number: str, recipient: str, timestamp: int) -> Call:
    """Delete the account's own message of `timestamp` (ms) for everybody (5.5).

    Answered with `results.timestamp`. Raises `RequestError` where `classify` does.
    """
    params = {**_deletion_target(recipient), "target-timestamp": timestamp, "account": number}
    return Call("remoteDelete", params)


def pin_message(
    number: str, group_id: str, target_author: str, timestamp: int, duration: int | None = None
) -> Call:
    """Pin a message in the group of that internal id, for `duration` seconds (5.4).

    Nothing is checked, as in the peer; without a duration it stays for ever.
    """
    params = {
        "target-author": person(target_author),
        "target-timestamp": timestamp,
        "pin-duration": PINNED_FOR_EVER if duration is None else duration,
        "group-id": group_id,
        "account": number,
    }
    return Call("sendPinMessage", params)


def unpin_message(number: str, group_id: str, target_author: str, timestamp: int) -> Call:
    """Unpin a message of the group. Raises `RequestError` (something is missing)."""
    if not target_author:
        raise RequestError(_MISSING.format("target author"))
    if not timestamp:
        raise RequestError(_MISSING.format("timestamp"))
    params = {
        "target-author": person(target_author),
        "target-timestamp": timestamp,
        "group-id": group_id,
        "account": number,
    }
    return Call("sendUnpinMessage", params)


def _only(groups: Sequence[Recipient]) -> Recipient:
    if len(groups) > 1:
        raise RequestError(
            "A signal message cannot be sent to more than one group at once! "
            "Please use multiple REST API calls for that."
        )
    return groups[0]


def _check_link_preview(preview: LinkPreview, message: str) -> None:
    if not preview.url:
        raise RequestError("Please provide a valid Link Preview URL")
    if not preview.url.startswith("https://"):
        raise RequestError("Link Preview URL must start with https://..")
    if not preview.title:
        raise RequestError("Please provide a valid Link Preview Title")
    if preview.url not in message:
        raise RequestError("Link Preview URL is missing in the message!")


def _check_reaction(reaction: Reaction) -> None:
    if not reaction.emoji and not reaction.remove:
        raise RequestError(_MISSING.format("reaction"))
    if not reaction.target_author:
        raise RequestError(_MISSING.format("target_author"))
    if not reaction.timestamp:
        raise RequestError(_MISSING.format("timestamp"))


def _reaction(number: str, target: dict[str, Any], reaction: Reaction) -> dict[str, Any]:
    params = {
        **target,
        "emoji": reaction.emoji or REMOVED_REACTION,
        "target-author": person(reaction.target_author),
        "target-timestamp": reaction.timestamp,
        "remove": reaction.remove or None,
        "account": number,
    }
    return given(params)


def _mentions(mentions: Sequence[Mention]) -> list[str] | None:
    return [f"{m.start}:{m.length}:{m.author}" for m in mentions] or None


def _quote(message: Message) -> dict[str, Any]:
    return {
        "quote-timestamp": message.quote_timestamp,
        "quote-author": message.quote_author,
        "quote-message": message.quote_message,
        "quote-mentions": _mentions(message.quote_mentions),
    }


def _preview(preview: LinkPreview | None) -> dict[str, Any]:
    if preview is None:
        return {}
    return {
        "preview-url": preview.url,
        "preview-title": preview.title,
        "preview-image": preview.image_path,
        "preview-description": preview.description,
    }


def _deletion_target(text: str) -> dict[str, str]:
    if not text:
        return {}
    found = classify(text)
    if found.kind is Kind.GROUP:
        return {Kind.GROUP.value: found.value}
    return {"recipient": person(text)}


def _failure(outcome: Any) -> dict[str, str]:
    address = results.as_row(outcome.get("recipientAddress"))
    entry = {name: results.text(address, name) for name in ("username", "number", "uuid")}
    entry["reason"] = results.text(outcome, "type")
    return {name: value for name, value in entry.items() if value}
