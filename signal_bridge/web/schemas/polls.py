"""Bodies of the poll routes."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.schemas.base import BodySchema, Flag, Indexes, Text, Texts


class NewPollBody(BodySchema):
    """A question, its answers, and the chat it is asked in."""

    recipient = Text(load_default="")
    question = Text(load_default="")
    answers = Texts(load_default=list)
    allow_multiple_selections = Flag(load_default=True)


class VoteBody(BodySchema):
    """A poll, and the answers chosen."""

    recipient = Text(load_default="")
    poll_author = Text(load_default="")
    poll_timestamp = Text(load_default="")
    selected_answers = Indexes(load_default=list)


class ClosePollBody(BodySchema):
    """The poll to close."""

    recipient = Text(load_default="")
    poll_timestamp = Text(load_default="")


NEW_POLL: Final = NewPollBody()
VOTE: Final = VoteBody()
CLOSE_POLL: Final = ClosePollBody()
