"""The events, as OpenAPI's webhooks: what is posted to a URL that was registered for them."""

from __future__ import annotations

from typing import Any

from signal_bridge.web.description.contents import Contents
from signal_bridge.web.schemas.events import OwnEventSchema, PostedMessageSchema


def webhooks(contents: Contents) -> dict[str, Any]:
    """Both kinds of what is posted."""
    return {
        "message": _webhook(
            "Something arrived",
            "signal-cli's envelope: a message, a reaction, a receipt, a call … Also what the"
            " WebSocket and the server-sent events of `/v1/receive/{number}` carry, without `seq`.",
            contents.json(PostedMessageSchema),
        ),
        "event": _webhook(
            "The bridge says something of itself",
            "An account was linked or unlinked, signal-cli was restarted, events were dropped …",
            contents.json(OwnEventSchema),
        ),
    }


def _webhook(summary: str, description: str, content: dict[str, Any]) -> dict[str, Any]:
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
