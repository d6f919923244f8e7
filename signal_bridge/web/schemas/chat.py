"""Bodies and answers of typing, reactions, receipts, pins and deleting for all."""

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


def _target_author() -> Text:
    about = "who sent the message: a number, a UUID or a username"
    return Text(load_default="", metadata={"description": about})


def _timestamp() -> Whole:
    about = "when it was sent, by which it is known; milliseconds since the epoch"
    return Whole(load_default=0, metadata={"description": about})


def _chat() -> Text:
    about = "the chat it is in: a number, a UUID, a username or a group's id"
    return Text(load_default="", metadata={"description": about})


class AdminDeleteBody(BodySchema):
    """Which message of the group to delete."""

    target_author = _target_author()
    timestamp = _timestamp()


class PinInChatBody(BodySchema):
    """The message to pin, and for how long."""

    recipient = _chat()
    target_author = _target_author()
    timestamp = _timestamp()
    duration = Whole(
        load_default=None,
        metadata={"description": "in seconds; without it the message stays pinned"},
    )


class UnpinInChatBody(BodySchema):
    """The message to unpin."""

    recipient = _chat()
    target_author = _target_author()
    timestamp = _timestamp()


class TimestampSchema(AnswerSchema):
    """By what a message is known."""

    timestamp = text(str(MS), about="milliseconds since the epoch, as a text")


TYPING: Final = TypingBody()
REACT: Final = ReactBody()
RECEIPT: Final = ReceiptBody()
REMOTE_DELETE: Final = RemoteDeleteBody()
ADMIN_DELETE: Final = AdminDeleteBody()
PIN_MESSAGE: Final = PinInChatBody()
UNPIN_MESSAGE: Final = UnpinInChatBody()
