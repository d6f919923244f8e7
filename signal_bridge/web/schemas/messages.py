"""Bodies and answers of the routes that send (rest-surface.rst 4.1, 4.6)."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from signal_bridge.signalcli.drafts import Draft, LinkPreview, Mention
from signal_bridge.signalcli.messages import Reaction
from signal_bridge.web.schemas.answers import AnswerSchema, Either, many, one, text
from signal_bridge.web.schemas.base import BodySchema, Flag, LongText, Text, Texts, Whole
from signal_bridge.web.schemas.examples import MS
from signal_bridge.web.schemas.problems import RecipientErrorsSchema


class MentionBody(BodySchema):
    """Somebody named in a text: where the name stands, in UTF-16 units, and who it is."""

    makes = Mention

    start = Whole(load_default=0)
    length = Whole(load_default=0)
    author = Text(load_default="")


class LinkPreviewBody(BodySchema):
    """The preview of a link in the text."""

    makes = LinkPreview

    url = Text(load_default="")
    title = Text(load_default="")
    description = Text(load_default="")
    base64_thumbnail = LongText(load_default="", attribute="image")


def _reaction(emoji: str, reaction: str, **rest: Any) -> Reaction:
    return Reaction(emoji or reaction, **rest)


class ReactionBody(BodySchema):
    """Beyond the peer: a message that only reacts. `reaction` is another name for `emoji`."""

    makes = _reaction

    emoji = Text(load_default="")
    reaction = Text(load_default="")
    target_author = Text(load_default="")
    timestamp = Whole(load_default=0)
    remove = Flag(load_default=False)


class SendBody(BodySchema):
    """A message, to whom, and from which account."""

    makes = Draft

    number = Text(load_default="", attribute="account")
    recipients = Texts(load_default=list)
    recipient = Text(load_default=None)
    message = Text(load_default="", attribute="text")
    base64_attachments = Texts(LongText(), load_default=list, attribute="attachments")
    sticker = Text(load_default="")
    mentions = fields.List(fields.Nested(MentionBody), load_default=list)
    quote_timestamp = Whole(load_default=None)
    quote_author = Text(load_default=None)
    quote_message = Text(load_default=None)
    quote_mentions = fields.List(fields.Nested(MentionBody), load_default=list)
    text_mode = Text(load_default=None)
    edit_timestamp = Whole(load_default=None)
    notify_self = Flag(load_default=True)
    link_preview = fields.Nested(LinkPreviewBody, load_default=None)
    view_once = Flag(load_default=False)
    # beyond the peer
    reaction = fields.Nested(ReactionBody, load_default=None)
    voice_note = Flag(load_default=False)
    no_urgent = Flag(load_default=False)
    story_timestamp = Whole(load_default=None)
    story_author = Text(load_default=None)
    text_styles = Texts(load_default=list)


def _draft_v1(attachment: str, is_group: bool, **rest: Any) -> tuple[Draft, bool]:
    return Draft(attachments=[attachment] if attachment else [], **rest), is_group


class SendV1Body(BodySchema):
    """A message as the older route takes it: to people, or to one group.

    Makes a draft, and says whether it goes to a group.
    """

    makes = _draft_v1

    number = Text(load_default="", attribute="account")
    recipients = Texts(load_default=list)
    message = Text(load_default="", attribute="text")
    base64_attachment = LongText(load_default="", attribute="attachment")
    is_group = Flag(load_default=False)


class SentSchema(AnswerSchema):
    """What was sent, and whom it did not reach."""

    timestamp = text(str(MS), about="milliseconds since the epoch, as a text")
    errors = one(RecipientErrorsSchema, required=False)


# The peer puts an array around it since 0.101.
SENT_OR_ARRAY: Final = Either(many(SentSchema), one(SentSchema))


SEND: Final = SendBody()
SEND_V1: Final = SendV1Body()
