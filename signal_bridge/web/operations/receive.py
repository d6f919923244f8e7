"""Receiving, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.operations.events import AFTER, FROM, TYPES
from signal_bridge.web.route import FLAG, TEXT_STREAM, WHOLE, Needs, Operation, Outcome, Query
from signal_bridge.web.schemas.answers import many
from signal_bridge.web.schemas.events import ReceivedSchema

_RECEIVE_FLAGS: Final = (
    "ignore_attachments",
    "ignore_stories",
    "ignore_avatars",
    "ignore_stickers",
    "send_read_receipts",
)

RECEIVE: Final = Operation(
    answer=many(ReceivedSchema),
    query=(
        Query("timeout", WHOLE, "seconds to wait for the first event; 1 by itself, 300 at most"),
        Query("max_messages", WHOLE, "how many at most; 0 is all"),
        TYPES,
        FROM,
        AFTER,
        Query("backlog", FLAG | {"default": "true"}, "streams: what was there before as well"),
        *(Query(name, FLAG, "checked; decided by a setting") for name in _RECEIVE_FLAGS),
    ),
    content=TEXT_STREAM,
    outcomes={
        101: Outcome("A WebSocket, if the request asks for an upgrade: one event a frame."),
        301: Outcome("The number is spelled otherwise; the array is at its `Location`."),
    },
    needs=Needs.STORE | Needs.PLACE,
)
