"""Answers of the routes that search."""

from __future__ import annotations

from signal_bridge.web.schemas.answers import AnswerSchema, flag, text
from signal_bridge.web.schemas.examples import BOB


class FoundSchema(AnswerSchema):
    """Whether a number has Signal."""

    number = text(BOB)
    registered = flag(True)
