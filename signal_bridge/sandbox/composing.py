"""The parts of an outgoing message, read from the parameters of `send` (signal-cli.rst 2.5)."""

from __future__ import annotations

import re
from typing import Any, Final

from signal_bridge.sandbox import attachments, envelopes, errors
from signal_bridge.sandbox.attachments import Attachment
from signal_bridge.sandbox.call import Call

Json = dict[str, Any]
Files = tuple[Attachment, ...]

_STYLES: Final = ("BOLD", "ITALIC", "SPOILER", "STRIKETHROUGH", "MONOSPACE")


def mention(call: Call, text: str) -> Json:
    """A `start:length:recipient` of `mention`. Raises RpcError (-1)."""
    match = re.fullmatch(r"(\d+):(\d+):(.+)", text)
    if match is None:
        syntax = "expected 'start:length:recipientNumber'"
        raise errors.user_error(f"Invalid mention syntax ({text}) {syntax}")
    person = call.network.people.find(match[3]).need_person()
    return envelopes.mention(person, int(match[1]), int(match[2]))


def text_style(text: str) -> Json:
    """A `start:length:STYLE` of `textStyle`. Raises RpcError (-1)."""
    match = re.fullmatch(r"(\d+):(\d+):(\w+)", text)
    if match is None:
        syntax = "expected 'start:length:STYLE'"
        raise errors.user_error(f"Invalid textStyle syntax ({text}) {syntax}")
    if match[3] not in _STYLES:
        raise errors.user_error(f"Invalid style: {match[3]}")
    return {"style": match[3], "start": int(match[1]), "length": int(match[2])}


def sticker(call: Call) -> Json | None:
    """A `packId:stickerId` of `sticker`, of a pack of the account. Raises RpcError (-1)."""
    text = call.params.text("sticker")
    if text is None:
        return None
    match = re.fullmatch(r"((?:[0-9a-fA-F]{2})+):(\d+)", text)
    if match is None:
        syntax = "expected 'stickerPackId:stickerId'"
        raise errors.user_error(f"Invalid sticker syntax ({text}) {syntax}")
    if match[1].lower() not in call.account.sticker_packs:
        raise errors.user_error("Failed to send sticker: Sticker pack not found")
    return {"packId": match[1].lower(), "stickerId": int(match[2])}


def quote(call: Call) -> tuple[Json | None, Files]:
    """What the `quote…` parameters say, and the files of its previews. Raises RpcError. Blocks."""
    params = call.params
    timestamp = params.timestamp("quoteTimestamp")
    if timestamp is None:
        return None, ()
    named = params.text("quoteAuthor")
    if named is None:
        raise errors.user_error("Quote author parameter is missing")
    author = call.network.people.find(named).need_person()
    quoted = [_quoted_file(each) for each in params.texts("quoteAttachment")]
    mentions = [mention(call, each) for each in params.texts("quoteMention")]
    styles = [text_style(each) for each in params.texts("quoteTextStyle")]
    quote = {
        "id": timestamp,
        **envelopes.target("author", author),
        "text": params.text("quoteMessage"),
        **({"mentions": mentions} if mentions else {}),
        "attachments": [body for body, _ in quoted],
        **({"textStyles": styles} if styles else {}),
    }
    return quote, tuple(file for _, files in quoted for file in files)


def _quoted_file(text: str) -> tuple[Json, Files]:
    """`type[:file[:previewPath]]`"""
    kind, _, rest = text.partition(":")
    filename, _, preview = rest.partition(":")
    body: Json = {"contentType": kind, "filename": filename or None}
    if not preview:
        return body, ()
    files = attachments.load_all([preview])
    return {**body, "thumbnail": files[0].as_json()}, files


def previews(call: Call) -> tuple[list[Json], Files]:
    """The link preview that the `preview…` parameters make, if any, and its image. Blocks."""
    params = call.params
    url = params.text("previewUrl")
    if url is None:
        return [], ()
    image = params.text("previewImage")
    files = attachments.load_all([image] if image else [])
    preview = {
        "url": url,
        "title": params.text("previewTitle") or "",
        "description": params.text("previewDescription") or "",
        "image": files[0].as_json() if files else None,
    }
    return [preview], files


def story_context(call: Call) -> Json | None:
    """The story that the message answers, by `storyTimestamp` and `storyAuthor`."""
    timestamp = call.params.timestamp("storyTimestamp")
    if timestamp is None:
        return None
    author = call.network.people.find(call.params.needed_text("storyAuthor")).need_person()
    return envelopes.story_context(author, timestamp)
