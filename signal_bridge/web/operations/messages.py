"""Sending, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import BYTES, Body, Needs, Operation, Outcome, form_of
from signal_bridge.web.schemas import messages as schemas
from signal_bridge.web.schemas.examples import ANN, BOB
from signal_bridge.web.schemas.problems import RateLimitSchema

_FILES: Final = {"type": "array", "items": BYTES, "description": "repeated, once for each file"}

SEND: Final = Operation(
    201,
    schemas.SENT_OR_ARRAY,
    Body(
        schemas.SEND,
        {"number": ANN, "recipients": [BOB], "message": "Hello **Bob**", "text_mode": "styled"},
        form=form_of(schemas.SEND, attachment=_FILES),
    ),
    outcomes={
        429: Outcome(
            "Signal wants a pause, or a captcha for one of the `challenge_tokens`.",
            RateLimitSchema,
        ),
    },
    needs=Needs.SIGNAL_CLI | Needs.ROOM,
)
SEND_V1: Final = Operation(
    201,
    schemas.SentSchema,
    Body(schemas.SEND_V1, {"number": ANN, "recipients": [BOB], "message": "Hello"}),
    needs=Needs.SIGNAL_CLI | Needs.ROOM,
)
