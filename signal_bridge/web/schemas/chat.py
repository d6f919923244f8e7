"""Bodies and answers of typing, reactions, receipts and deleting for all."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.answers import AnswerSchema, text
from signal_bridge.web.schemas.base import BodySchema, Text, Whole
from signal_bridge.web.schemas.examples import MS


class TypingBody(BodySchema):
    """To whom it is shown."""

    recipient = Text(load_default="")


class ReactBody(BodySchema):
    """An emoji, and the message it is for."""

    recipient = Text(load_default="")
    reaction = Text(load_default="")
    target_author = Text(load_default="")
    timestamp = Whole(load_default=0)


class ReceiptBody(BodySchema):
    """Which message was read or viewed, and who is told."""

    recipient = Text(load_default="")
    receipt_type = Text(load_default="")
    timestamp = Whole(load_default=0)


class RemoteDeleteBody(BodySchema):
    """Which message to delete, and in which chat."""

    recipient = Text(load_default="")
    timestamp = Whole(load_default=0)


class TimestampSchema(AnswerSchema):
    """By what a message is known."""

    timestamp = text(str(MS), about="milliseconds since the epoch, as a text")


TYPING: Final = TypingBody()
REACT: Final = ReactBody()
RECEIPT: Final = ReceiptBody()
REMOTE_DELETE: Final = RemoteDeleteBody()
