"""Bodies of typing, reactions, receipts and deleting for all."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.base import BodySchema, Text, Whole


class TypingSchema(BodySchema):
    recipient = Text(load_default="")


class ReactSchema(BodySchema):
    recipient = Text(load_default="")
    reaction = Text(load_default="")
    target_author = Text(load_default="")
    timestamp = Whole(load_default=0)


class ReceiptSchema(BodySchema):
    recipient = Text(load_default="")
    receipt_type = Text(load_default="")
    timestamp = Whole(load_default=0)


class RemoteDeleteSchema(BodySchema):
    recipient = Text(load_default="")
    timestamp = Whole(load_default=0)


TYPING: Final = TypingSchema()
REACT: Final = ReactSchema()
RECEIPT: Final = ReceiptSchema()
REMOTE_DELETE: Final = RemoteDeleteSchema()
