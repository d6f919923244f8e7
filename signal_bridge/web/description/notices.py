"""The events, as OpenAPI's webhooks: what is posted to a URL that was registered for them."""

from __future__ import annotations

from typing import Any, Final

from signal_bridge.feed.filters import OWN_KINDS
from signal_bridge.web.description.answers import ANN, MS, RECEIVED
from signal_bridge.web.description.failures import json_content
from signal_bridge.web.description.shapes import Named, Words

_POSTED: Final = Named("PostedMessage", {**RECEIVED.shape, "seq": 17})
_OWN: Final = Named(
    "OwnEvent",
    {"event": Words(*OWN_KINDS, "gap"), "account": ANN, "timestamp?": MS, "seq": 17},
)


def webhooks(named: dict[str, Any]) -> dict[str, Any]:
    """Both kinds of what is posted; their schemas are put into `named`."""
    return {
        "message": _posted(
            "Something arrived",
            "signal-cli's envelope: a message, a reaction, a receipt, a call … Also what the"
            " WebSocket and the server-sent events of `/v1/receive/{number}` carry, without `seq`.",
            json_content(_POSTED, named),
        ),
        "event": _posted(
            "The bridge says something of itself",
            "An account was linked or unlinked, signal-cli was restarted, events were dropped …",
            json_content(_OWN, named),
        ),
    }


def _posted(summary: str, description: str, content: dict[str, Any]) -> dict[str, Any]:
    return {
        "post": {
            "summary": summary,
            "description": description,
            "requestBody": {"required": True, "content": content},
            "responses": {
                "2XX": {"description": "Taken. The next event follows."},
                "default": {"description": "Not taken. The same is posted again later."},
            },
        }
    }
