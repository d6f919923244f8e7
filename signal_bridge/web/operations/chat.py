"""What goes with messages: typing, reactions, receipts, pins, deletion, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import Body, Operation
from signal_bridge.web.schemas import chat as schemas
from signal_bridge.web.schemas.examples import BOB, MS

_TYPING: Final = Body(schemas.TYPING, {"recipient": BOB})
_MESSAGE: Final = {"target_author": BOB, "timestamp": MS}
_REACTION: Final = {"recipient": BOB, "reaction": "👍", "target_author": BOB, "timestamp": MS}

START_TYPING: Final = Operation(204, body=_TYPING)
STOP_TYPING: Final = Operation(204, body=_TYPING)
REACT: Final = Operation(204, body=Body(schemas.REACT, _REACTION))
TAKE_REACTION_BACK: Final = Operation(204, body=Body(schemas.REACT, _REACTION))
SEND_RECEIPT: Final = Operation(
    204, body=Body(schemas.RECEIPT, {"recipient": BOB, "receipt_type": "read", "timestamp": MS})
)
REMOTE_DELETE: Final = Operation(
    201, schemas.TimestampSchema, Body(schemas.REMOTE_DELETE, {"recipient": BOB, "timestamp": MS})
)
ADMIN_DELETE: Final = Operation(
    201, schemas.TimestampSchema, Body(schemas.ADMIN_DELETE, _MESSAGE), beyond_peer=True
)
PIN_MESSAGE: Final = Operation(
    201,
    body=Body(schemas.PIN_MESSAGE, {"recipient": BOB, **_MESSAGE, "duration": 86400}),
    beyond_peer=True,
)
UNPIN_MESSAGE: Final = Operation(
    201, body=Body(schemas.UNPIN_MESSAGE, {"recipient": BOB, **_MESSAGE}), beyond_peer=True
)
