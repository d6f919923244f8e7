"""Sending, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import BYTES, TEXT, TEXTS, Body, Needs, Operation
from signal_bridge.web.schemas import messages as schemas
from signal_bridge.web.schemas.examples import ANN, BOB

_SEND_FORM: Final = {
    "type": "object",
    "properties": {
        "number": TEXT,
        "recipients[]": TEXTS,
        "message": TEXT,
        "text_mode": TEXT,
        "attachment": {"type": "array", "items": BYTES},
    },
}

SEND: Final = Operation(
    201,
    schemas.SENT_OR_ARRAY,
    Body(
        schemas.SEND,
        {"number": ANN, "recipients": [BOB], "message": "Hello **Bob**", "text_mode": "styled"},
        form=_SEND_FORM,
    ),
    failures=(429,),
    needs=Needs.SIGNAL_CLI | Needs.ROOM,
)
SEND_V1: Final = Operation(
    201,
    schemas.SentSchema,
    Body(schemas.SEND_V1, {"number": ANN, "recipients": [BOB], "message": "Hello"}),
    needs=Needs.SIGNAL_CLI | Needs.ROOM,
)
