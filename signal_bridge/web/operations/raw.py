"""signal-cli's own HTTP dialect, described."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.description.answers import ANN
from signal_bridge.web.route import TEXT, TEXT_STREAM, Body, Needs, Operation, Query

_RPC: Final = {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}

CHECK: Final = Operation(needs=Needs.NOTHING, beyond_peer=True)
RPC: Final = Operation(
    answer=answers.RPC_REPLY,
    body=Body(
        _RPC,
        {"jsonrpc": "2.0", "id": "1", "method": "listContacts", "params": {"account": ANN}},
    ),
    statuses={
        201: "There is no reply to give: all were notifications.",
        415: "The body's Content-Type is not application/json.",
        **dict.fromkeys((502, 503, 504), "The same, when signal-cli could not be asked."),
    },
    beyond_peer=True,
)
EVENTS: Final = Operation(
    query=(Query("account", TEXT, "one account; else all"),),
    content=TEXT_STREAM,
    needs=Needs.SIGNAL_CLI | Needs.STORE | Needs.PLACE,
    beyond_peer=True,
)
