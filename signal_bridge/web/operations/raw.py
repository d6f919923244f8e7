"""signal-cli's own HTTP dialect, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.route import TEXT, TEXT_STREAM, Body, Needs, Operation, Outcome, Query
from signal_bridge.web.schemas import raw as schemas
from signal_bridge.web.schemas.examples import ANN

_RPC: Final = {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}
_NOT_ASKED: Final = Outcome("The same, when signal-cli could not be asked.", schemas.REPLY)

CHECK: Final = Operation(needs=Needs.NOTHING, beyond_peer=True)
RPC: Final = Operation(
    answer=schemas.REPLY,
    body=Body(
        _RPC,
        {"jsonrpc": "2.0", "id": "1", "method": "listContacts", "params": {"account": ANN}},
    ),
    outcomes={
        201: Outcome("There is no reply to give: all were notifications."),
        415: Outcome("The body's Content-Type is not application/json."),
        **dict.fromkeys((429, 502, 503, 504), _NOT_ASKED),
    },
    beyond_peer=True,
)
EVENTS: Final = Operation(
    query=(Query("account", TEXT, "one account; else all"),),
    content=TEXT_STREAM,
    needs=Needs.SIGNAL_CLI | Needs.STORE | Needs.PLACE,
    beyond_peer=True,
)
