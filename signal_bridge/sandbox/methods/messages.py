"""Messages, and reactions, edits, deletions, receipts and pins of them (signal-cli.rst 2.5)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable
from typing import Any, Final

from signal_bridge.sandbox import attachments, composing, envelopes, errors
from signal_bridge.sandbox.call import Call, Handler
from signal_bridge.sandbox.envelopes import Message, Receipt, Typing
from signal_bridge.sandbox.linking import WRONG_CAPTCHA
from signal_bridge.sandbox.people import Person
from signal_bridge.sandbox.sending import (
    Targets,
    find_group,
    find_sendable_group,
    new_message,
    read_targets,
)
from signal_bridge.sandbox.sending import send as send_to

Json = dict[str, Any]
Sent = Awaitable[dict[str, Any]]

_EMPTY: Final = (
    "Sending empty message is not allowed, either a message, attachment or sticker must be given."
)


async def send(call: Call) -> Json:
    """`send`, new messages and edits (`editTimestamp`), to people and groups."""
    params = call.params
    targets = read_targets(call)
    if params.flag("endSession"):
        return await _end_session(call, targets)
    for name in ("noUrgent", "voiceNote"):
        params.flag(name)
    paths = params.texts("attachment")
    files = await asyncio.to_thread(attachments.load_all, paths, call.guarded)
    previews, preview_files = await asyncio.to_thread(composing.previews, call)
    quote, quote_files = await asyncio.to_thread(composing.quote, call)
    text, sticker = params.text("message"), composing.sticker(call)
    if not (text or files or sticker):
        raise errors.user_error(_EMPTY)
    parts = {
        "quote": quote,
        "mentions": [composing.mention(call, each) for each in params.texts("mention")],
        "previews": previews,
        "attachments": [each.as_json() for each in files],
        "sticker": sticker,
        "textStyles": [composing.text_style(each) for each in params.texts("textStyle")],
        "storyContext": composing.story_context(call),
    }
    message = Message(
        call.account.person.ticker.next_ms(),
        text or None,
        view_once=bool(params.flag("viewOnce")),
        edit_of=params.timestamp("editTimestamp"),
        parts=parts,
        files=(*files, *preview_files, *quote_files),
    )
    if message.edit_of is not None:
        targets = targets.without_self()
    return await send_to(call, targets, message)


def send_reaction(call: Call) -> Sent:
    """`sendReaction` to a message, or with `story` to a story."""
    params = call.params
    targets = _targets(call)
    emoji, timestamp = params.needed_text("emoji"), params.needed_timestamp("targetTimestamp")
    author = _target_author(call, targets)
    reaction = envelopes.reaction(emoji, author, timestamp, bool(params.flag("remove")))
    story = envelopes.story_context(author, timestamp) if params.flag("story") else None
    return send_to(call, targets, new_message(call, reaction=reaction, storyContext=story))


def remote_delete(call: Call) -> Sent:
    """`remoteDelete`: the message of `targetTimestamp` is to be gone."""
    targets = _targets(call)
    deleted = {"timestamp": call.params.needed_timestamp("targetTimestamp")}
    return send_to(call, targets, new_message(call, remoteDelete=deleted))


async def send_typing(call: Call) -> Json:
    """`sendTyping`: begun, or with `stop` ended."""
    params, people = call.params, call.network.people
    recipients = [people.find(text) for text in params.texts("recipient")]
    try:
        groups = [find_group(call, text) for text in params.texts("groupId")]
    except errors.RpcError as error:
        raise errors.user_error(f"Failed to send to group: {error.message}") from None
    if not recipients and not groups:
        raise errors.user_error("No recipients given")
    typing = Typing(call.account.person.ticker.next_ms(), bool(params.flag("stop")))
    return await send_to(call, Targets(recipients, groups), typing)


def send_receipt(call: Call) -> Sent:
    """`sendReceipt`: `read` (the default) or `viewed`, for each of `targetTimestamp`."""
    params = call.params
    recipient = call.network.people.find(params.needed_text("recipient"))
    timestamps = params.needed_timestamps("targetTimestamp")
    kind = params.text("type") or "read"
    if kind not in ("read", "viewed"):
        raise errors.user_error(f"Unknown receipt type: {kind}")
    receipt = Receipt(call.account.person.ticker.next_ms(), kind, timestamps)
    silent = call.version.minds_receipt_setting and not call.account.sends_receipts
    targets = [] if silent and recipient.person else [recipient]
    return send_to(call, Targets(targets, []), receipt)


def send_message_request_response(call: Call) -> Json:
    """`sendMessageRequestResponse`: `{}`; nobody has to be accepted here."""
    kind = call.params.needed_text("type")
    if kind.upper() not in ("ACCEPT", "DELETE"):
        raise errors.internal_error(f"Unknown message request response: {kind}")
    read_targets(call)
    return {}


def send_contacts(_call: Call) -> Json:
    """There is no other device that would hear of it."""
    return {}


def send_sync_request(call: Call) -> Json:
    """A linked device is told everything again by its phone; a primary has nobody to ask."""
    if call.account.is_linked:
        call.network.sync_from_phone(call.account)
    return {}


def send_pin_message(call: Call) -> Sent:
    """`sendPinMessage`, in signal-cli since 0.14.0: for `pinDuration` seconds; -1 is for ever."""
    targets = _targets(call)
    author = _target_author(call, targets)
    timestamp = call.params.needed_timestamp("targetTimestamp")
    seconds = call.params.needed_integer("pinDuration")
    pin = envelopes.pin(author, timestamp, seconds)
    return send_to(call, targets, new_message(call, pinMessage=pin))


def send_unpin_message(call: Call) -> Sent:
    """`sendUnpinMessage`, in signal-cli since 0.14.0."""
    targets = _targets(call)
    author = _target_author(call, targets)
    unpin = envelopes.pin(author, call.params.needed_timestamp("targetTimestamp"))
    return send_to(call, targets, new_message(call, unpinMessage=unpin))


def send_admin_delete(call: Call) -> Sent:
    """`sendAdminDelete`, in signal-cli since 0.14.0: an admin takes away another's message.

    Sent by others, too, as signal-cli does; whoever gets that shows nothing.
    """
    params = call.params
    if not params.texts("groupId"):
        raise errors.user_error("Admin delete requires group IDs")
    groups = [find_sendable_group(call, each) for each in params.texts("groupId")]
    author = call.network.people.find(params.needed_text("targetAuthor")).need_person()
    timestamp = params.needed_timestamp("targetTimestamp")
    story = envelopes.story_context(author, timestamp) if params.flag("story") else None
    deleted = envelopes.pin(author, timestamp)
    what = new_message(call, adminDelete=deleted, storyContext=story)
    return send_to(call, Targets([], groups), what)


def send_payment_notification(call: Call) -> Sent:
    """`sendPaymentNotification`: `receipt` in base64, and a `note`."""
    recipient = call.network.people.find(call.params.needed_text("recipient"))
    receipt = call.params.needed_text("receipt")
    try:
        base64.b64decode(receipt, validate=True)
    except ValueError:
        raise errors.internal_error('"receipt" is no base64') from None
    payment = {"note": call.params.text("note"), "receipt": receipt}
    return send_to(call, Targets([recipient], []), new_message(call, payment=payment))


def submit_rate_limit_challenge(call: Call) -> Json:
    """`submitRateLimitChallenge`: `{}`, and sending works; -1 for a wrong token or captcha."""
    challenges = call.account.challenges
    token, captcha = call.params.text("challenge"), call.params.text("captcha")
    solved = next((aci for aci, each in challenges.items() if token and each == token), None)
    if solved is None or not captcha or captcha == WRONG_CAPTCHA:
        raise errors.RpcError(
            call.version.captcha_rejected,
            "Captcha rejected, it may be outdated, already used or solved from a different IP "
            "address.",
        )
    challenges[solved] = ""
    return {}


METHODS: Final[dict[str, Handler]] = {
    "send": send,
    "sendReaction": send_reaction,
    "remoteDelete": remote_delete,
    "sendTyping": send_typing,
    "sendReceipt": send_receipt,
    "sendMessageRequestResponse": send_message_request_response,
    "sendContacts": send_contacts,
    "sendSyncRequest": send_sync_request,
    "sendPinMessage": send_pin_message,
    "sendUnpinMessage": send_unpin_message,
    "sendAdminDelete": send_admin_delete,
    "sendPaymentNotification": send_payment_notification,
    "submitRateLimitChallenge": submit_rate_limit_challenge,
}


async def _end_session(call: Call, targets: Targets) -> Json:
    """Whatever else is given is not looked at, nor are groups."""
    if not targets.recipients:
        raise errors.user_error("No recipients given")
    if call.version.ends_sessions_silently:
        return {}
    return await send_to(call, Targets(targets.recipients, []), new_message(call))


def _targets(call: Call) -> Targets:
    """Those of all but `send`: at first `notifySelf` meant nothing to them."""
    targets = read_targets(call)
    return targets if call.version.notifies_self_of_anything else targets.without_self()


def _target_author(call: Call, targets: Targets) -> Person:
    """Whose message is meant; between two people it need not be said."""
    params, other = call.params, targets.only_person
    if params.text("targetAuthor") is None and other and not params.flag("noteToSelf"):
        return other
    return call.network.people.find(params.needed_text("targetAuthor")).need_person()
