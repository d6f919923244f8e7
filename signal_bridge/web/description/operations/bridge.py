"""The bridge itself, its description, and signal-cli's own dialect."""

from __future__ import annotations

from typing import Final

from signal_bridge.web.description import answers
from signal_bridge.web.description.answers import ANN
from signal_bridge.web.description.operation import (
    TEXT,
    TEXT_STREAM,
    Body,
    Needs,
    Operation,
    Operations,
    Query,
)
from signal_bridge.web.routes import configuration, documentation, health, raw
from signal_bridge.web.schemas.configuration import CONFIGURATION, TRUST_MODE

_NOT_READY: Final = "Not ready. `reasons` says why."
_RPC: Final = {"oneOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}

OPERATIONS: Final[Operations] = {
    health.live: Operation(answer=answers.ALIVE, needs=Needs.NOTHING, beyond_peer=True),
    health.ready: Operation(
        answer=answers.READY, statuses={503: _NOT_READY}, needs=Needs.NOTHING, beyond_peer=True
    ),
    health.peer_health: Operation(204, statuses={503: _NOT_READY}, needs=Needs.NOTHING),
    health.about: Operation(answer=answers.ABOUT, needs=Needs.NOTHING),
    configuration.get: Operation(answer=answers.LOGGING, needs=Needs.STORE),
    configuration.change: Operation(
        204, body=Body(CONFIGURATION, {"logging": {"level": "debug"}}), needs=Needs.STORE
    ),
    configuration.get_trust_mode: Operation(answer=answers.TRUST_MODE, needs=Needs.NOTHING),
    configuration.store_trust_mode: Operation(
        204, body=Body(TRUST_MODE, {"trust_mode": "always"}), needs=Needs.NOTHING
    ),
    documentation.openapi: Operation(answer=answers.OPENAPI, needs=Needs.NOTHING, beyond_peer=True),
    documentation.docs: Operation(
        content={"text/html": {"schema": TEXT}}, needs=Needs.NOTHING, beyond_peer=True
    ),
    # signal-cli's own HTTP dialect
    raw.check: Operation(needs=Needs.NOTHING, beyond_peer=True),
    raw.rpc: Operation(
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
    ),
    raw.events: Operation(
        query=(Query("account", TEXT, "one account; else all"),),
        content=TEXT_STREAM,
        needs=Needs.SIGNAL_CLI | Needs.STORE | Needs.PLACE,
        beyond_peer=True,
    ),
}
