"""Bodies of the poll routes."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.base import BodySchema, Flag, Indexes, Text, Texts


class NewPollSchema(BodySchema):
    recipient = Text(load_default="")
    question = Text(load_default="")
    answers = Texts(load_default=list)
    allow_multiple_selections = Flag(load_default=True)


class VoteSchema(BodySchema):
    recipient = Text(load_default="")
    poll_author = Text(load_default="")
    poll_timestamp = Text(load_default="")
    selected_answers = Indexes(load_default=list)


class ClosePollSchema(BodySchema):
    recipient = Text(load_default="")
    poll_timestamp = Text(load_default="")


NEW_POLL: Final = NewPollSchema()
VOTE: Final = VoteSchema()
CLOSE_POLL: Final = ClosePollSchema()
