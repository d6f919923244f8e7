"""Bodies and answers of the routes that send (rest-surface.rst 4.1, 4.6)."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from signal_bridge.signalcli.drafts import Draft, LinkPreview, Mention
from signal_bridge.signalcli.messages import Reaction
from signal_bridge.web.schemas.answers import AnswerSchema, Either, many, one, text
from signal_bridge.web.schemas.base import BodySchema, Flag, LongText, Objects, Text, Texts, Whole
from signal_bridge.web.schemas.examples import MS
from signal_bridge.web.schemas.problems import RecipientErrorsSchema


def _about(text: str) -> dict[str, str]:
    return {"description": text}


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
    mentions = Objects(MentionBody, load_default=list)
    quote_timestamp = Whole(load_default=None)
    quote_author = Text(load_default=None)
    quote_message = Text(load_default=None)
    quote_mentions = Objects(MentionBody, load_default=list)
    text_mode = Text(load_default=None)
    edit_timestamp = Whole(load_default=None)
    notify_self = Flag(load_default=True)
    link_preview = fields.Nested(LinkPreviewBody, load_default=None)
    view_once = Flag(
        load_default=False, metadata=_about("whether the picture can be looked at only once")
    )
    # beyond the peer
    reaction = fields.Nested(
        ReactionBody, load_default=None, metadata=_about("to react instead of writing")
    )
    voice_note = Flag(
        load_default=False,
        metadata=_about("whether the audio attached is a voice note; signal-cli 0.14.2 or newer"),
    )
    no_urgent = Flag(
        load_default=False,
        metadata=_about("true: no push notification wakes the phone; signal-cli 0.14.0 or newer"),
    )
    story_timestamp = Whole(
        load_default=None,
        metadata=_about("when the story was posted that this replies to; milliseconds since 1970"),
    )
    story_author = Text(
        load_default=None, metadata=_about("who posted it: a number, a UUID or u:username")
    )
    text_styles = Texts(
        load_default=list, metadata=_about("start:length:STYLE, in UTF-16 units of the text")
    )


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
