"""What is to be sent, and the one call that sends it (rest-surface.rst 4).

    the schema     Draft, as the caller wrote it
    decide         checked, with its defaults, and with the place where it goes
    (the spool)    its files on the disk, its texts replaced by their paths
    send           the Call

A draft whose files lie on the disk is all plain values, down to JSON: it can be stored, and sent by
another process later.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from signal_bridge.errors import RequestError
from signal_bridge.signalcli import addresses, textstyle
from signal_bridge.signalcli.attachments import NO_VOICE_NOTE, Enclosure
from signal_bridge.signalcli.call import Call
from signal_bridge.signalcli.messages import Reaction, check_reaction, reaction_call
from signal_bridge.signalcli.numbers import CANONICAL
from signal_bridge.signalcli.params import timestamp_ms, without_none

_MISSING: Final = "Couldn't process request - {} missing"

STYLED: Final = "styled"
"""The `text_mode` in which stars and underscores in a text are styles."""


@dataclasses.dataclass(frozen=True)
class Mention:
    """`author` is named at UTF-16 units `start` to `start + length` of the text as sent."""

    start: int = 0
    length: int = 0
    author: str = ""


@dataclasses.dataclass(frozen=True)
class LinkPreview:
    """The card under a message. `image`, its thumbnail, is an empty text when there is none."""

    url: str = ""
    title: str = ""
    description: str = ""
    image: Enclosure = ""


@dataclasses.dataclass(frozen=True)
class Draft:
    """A message or a reaction on its way out: the body of `/v2/send` (rest-surface.rst 4.1).

    Timestamps are in ms; None is what was not given. `recipient` is one more of `recipients`.
    `destination` is empty until it was decided.

    Beyond the peer: `reaction` makes it a reaction instead of a message; the fields from
    `voice_note` on are signal-cli's own, and are sent only when given. `text_styles` are
    `start:length:STYLE`, for texts whose stars are meant as stars.
    """

    account: str
    recipients: Sequence[str]
    recipient: str | None = None
    text: str = ""
    text_mode: str | None = None
    attachments: Sequence[Enclosure] = ()
    sticker: str = ""
    mentions: Sequence[Mention] = ()
    quote_timestamp: int | None = None
    quote_author: str | None = None
    quote_message: str | None = None
    quote_mentions: Sequence[Mention] = ()
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
    destination: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def decide(draft: Draft, default_account: Callable[[], str], default_text_mode: str) -> Draft:
    """The draft with what it left open, and with the place where it goes.

    Whom it names is spelled as signal-cli wants it from then on. `default_account` is asked when
    the draft has recipients and names no account. Raises `RequestError` for the first of steps 2 to
    11 of rest-surface.rst 4.2 that fails: everything that can be told before its files are written.
    """
    recipients = [*draft.recipients, *([] if draft.recipient is None else [draft.recipient])]
    if not recipients:
        raise RequestError("Couldn't process request - please provide at least one recipient")
    account = _account(draft) or default_account()
    if not account:
        raise RequestError("Couldn't process request - please provide a valid number")
    _check_sticker(draft)
    destination = addresses.destination(recipients)
    _check_content(draft)
    return dataclasses.replace(
        draft,
        account=account,
        recipients=recipients,
        recipient=None,
        text_mode=default_text_mode if draft.text_mode is None else draft.text_mode,
        destination=destination,
        **_people(draft),
    )


def decide_v1(draft: Draft, default_account: Callable[[], str], is_group: bool) -> Draft:
    """As `decide`, for `/v1/send` (rest-surface.rst 4.6): people may be mixed, nothing is styled.

    Raises `RequestError` where `addresses.destination_v1` does.
    """
    destination = addresses.destination_v1(draft.recipients, is_group)
    account = _account(draft) or default_account()
    return dataclasses.replace(draft, account=account, destination=destination)


def send(draft: Draft) -> Call:
    """The call that sends a decided draft: `send`, or `sendReaction` (rest-surface.rst 4.5)."""
    if draft.reaction is not None:
        return reaction_call(draft.account, draft.destination, draft.reaction)
    styled = textstyle.parse(draft.text) if draft.text_mode == STYLED else None
    params = {
        **draft.destination,
        "message": draft.text if styled is None else styled.text,
        "attachment": [str(path) for path in draft.attachments] or None,
        "sticker": draft.sticker or None,
        "mentions": _mentions(draft.mentions),
        "quote-timestamp": draft.quote_timestamp,
        "quote-author": draft.quote_author,
        "quote-message": draft.quote_message,
        "quote-mentions": _mentions(draft.quote_mentions),
        "text-style": [*(styled.styles if styled else ()), *draft.text_styles] or None,
        "edit-timestamp": draft.edit_timestamp,
        "notify-self": draft.notify_self or None,
        "view-once": draft.view_once or None,
        **_preview(draft.link_preview),
        "voice-note": draft.voice_note or None,
        "no-urgent": draft.no_urgent or None,
        "story-timestamp": draft.story_timestamp,
        "story-author": draft.story_author,
        "account": draft.account,
    }
    return Call("send", without_none(params))


def _account(draft: Draft) -> str:
    # The usual spelling needs no reading.
    return draft.account if CANONICAL.fullmatch(draft.account) else addresses.account(draft.account)


def _people(draft: Draft) -> dict[str, Any]:
    """Who is named in the message, as far as anybody is."""
    authors = {
        name: addresses.optional_person(author)
        for name, author in (
            ("quote_author", draft.quote_author),
            ("story_author", draft.story_author),
        )
        if author is not None
    }
    return {
        **authors,
        "mentions": _named("mentions", draft.mentions),
        "quote_mentions": _named("quote_mentions", draft.quote_mentions),
    }


def _named(field: str, mentions: Sequence[Mention]) -> list[Mention]:
    for index, mention in enumerate(mentions):
        if not mention.author:
            raise RequestError(_MISSING.format(f"{field}[{index}].author"))
    return [dataclasses.replace(one, author=addresses.mentioned(one.author)) for one in mentions]


def _check_sticker(draft: Draft) -> None:
    if draft.sticker and ":" not in draft.sticker:
        raise RequestError("Couldn't process request - please provide valid sticker delimiter")
    if draft.view_once and not draft.attachments:
        raise RequestError("'view_once' can only be set for image attachments!")
    if draft.voice_note and not draft.attachments:
        raise RequestError(NO_VOICE_NOTE)


def _check_content(draft: Draft) -> None:
    for name in ("quote_timestamp", "edit_timestamp", "story_timestamp"):
        if (value := getattr(draft, name)) is not None:
            timestamp_ms(name, value)
    # It says by whom the message is, without which its time means nothing.
    for of in ("quote", "story"):
        if getattr(draft, f"{of}_timestamp") and not getattr(draft, f"{of}_author"):
            raise RequestError(_MISSING.format(f"{of}_author"))
    if draft.link_preview is not None:
        _check_link_preview(draft.link_preview, draft.text)
    if draft.reaction is not None:
        check_reaction(draft.reaction)
        if draft.text or draft.attachments or draft.sticker:
            raise RequestError("A reaction cannot be sent together with a message!")


def _check_link_preview(preview: LinkPreview, text: str) -> None:
    if not preview.url:
        raise RequestError("Please provide a valid Link Preview URL")
    if not preview.url.startswith("https://"):
        raise RequestError("Link Preview URL must start with https://..")
    if not preview.title:
        raise RequestError("Please provide a valid Link Preview Title")
    if preview.url not in text:
        raise RequestError("Link Preview URL is missing in the message!")


def _mentions(mentions: Sequence[Mention]) -> list[str] | None:
    return [f"{m.start}:{m.length}:{m.author}" for m in mentions] or None


def _preview(preview: LinkPreview | None) -> dict[str, Any]:
    if preview is None:
        return {}
    return {
        "preview-url": preview.url,
        "preview-title": preview.title,
        "preview-image": str(preview.image) or None,
        "preview-description": preview.description,
    }
