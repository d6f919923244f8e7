"""Bodies of the routes that send (rest-contract.md 4.1, 4.6)."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields, post_load

from signal_bridge.signalcli.messages import LinkPreview, Mention, Reaction
from signal_bridge.web.schemas.base import BodySchema, Flag, LongText, Text, Texts, Whole


class MentionSchema(BodySchema):
    start = Whole(load_default=0)
    length = Whole(load_default=0)
    author = Text(load_default="")

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Mention:
        return Mention(**data)


class LinkPreviewSchema(BodySchema):
    url = Text(load_default="")
    title = Text(load_default="")
    description = Text(load_default="")
    base64_thumbnail = LongText(load_default="")

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> tuple[LinkPreview, str]:
        thumbnail = data.pop("base64_thumbnail")
        return LinkPreview(**data), thumbnail


class ReactionSchema(BodySchema):
    """Beyond the peer: a message that only reacts. `reaction` is another name for `emoji`."""

    emoji = Text(load_default="")
    reaction = Text(load_default="")
    target_author = Text(load_default="")
    timestamp = Whole(load_default=0)
    remove = Flag(load_default=False)

    @post_load
    def _made(self, data: dict[str, Any], **_: Any) -> Reaction:
        emoji = data["emoji"] or data["reaction"]
        return Reaction(emoji, data["target_author"], data["timestamp"], data["remove"])


class SendSchema(BodySchema):
    number = Text(load_default="")
    recipients = Texts(load_default=list)
    recipient = Text(load_default=None)
    message = Text(load_default="")
    base64_attachments = Texts(LongText(), load_default=list)
    sticker = Text(load_default="")
    mentions = fields.List(fields.Nested(MentionSchema), load_default=list)
    quote_timestamp = Whole(load_default=None)
    quote_author = Text(load_default=None)
    quote_message = Text(load_default=None)
    quote_mentions = fields.List(fields.Nested(MentionSchema), load_default=list)
    text_mode = Text(load_default=None)
    edit_timestamp = Whole(load_default=None)
    notify_self = Flag(load_default=True)
    link_preview = fields.Nested(LinkPreviewSchema, load_default=None)
    view_once = Flag(load_default=False)
    # beyond the peer
    reaction = fields.Nested(ReactionSchema, load_default=None)
    voice_note = Flag(load_default=False)
    no_urgent = Flag(load_default=False)
    story_timestamp = Whole(load_default=None)
    story_author = Text(load_default=None)
    text_styles = Texts(load_default=list)


class SendV1Schema(BodySchema):
    number = Text(load_default="")
    recipients = Texts(load_default=list)
    message = Text(load_default="")
    base64_attachment = LongText(load_default="")
    is_group = Flag(load_default=False)


SEND: Final = SendSchema()
SEND_V1: Final = SendV1Schema()
