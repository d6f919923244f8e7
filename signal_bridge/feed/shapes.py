"""Events as readers get them. Pure: stored JSON in, JSON out.

signal-cli's object passes whole: no key is dropped and none is added as null. One thing is added:
`isVoiceNote: false` where an attachment lacks it, since signalbot loses a message without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from signal_bridge.feed.event import Event


def peer_body(event: Event) -> dict[str, Any]:
    """`{"envelope": …, "account": …}`, as the peer's WebSocket sends it."""
    body: dict[str, Any] = orjson.loads(event.payload)
    for attachment in _attachments(body.get("envelope")):
        attachment.setdefault("isVoiceNote", False)
    return body


def frame(event: Event) -> bytes:
    """A frame of the WebSocket, the data of an SSE event."""
    return orjson.dumps(peer_body(event))


def polled(event: Event) -> bytes:
    """An element of a poll's array: the data message is repeated beside the envelope."""
    body = peer_body(event)
    envelope = body.get("envelope")
    if isinstance(envelope, dict) and "dataMessage" in envelope:
        body["dataMessage"] = envelope["dataMessage"]
    return orjson.dumps(body)


def numbered(event: Event) -> dict[str, Any]:
    """`peer_body` with the seq, the event's id and its type: for those who keep a cursor."""
    return {
        **peer_body(event),
        "seq": event.seq,
        "type": event.kind,
        "id": event.id,
        "received_at": event.received_at_ms,
    }


def jsonrpc_line(event: Event) -> bytes:
    """signal-cli's whole notification with its line feed, as the peer's webhook posts it."""
    line = {"jsonrpc": "2.0", "method": "receive", "params": peer_body(event)}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _attachments(value: Any) -> Iterator[dict[str, Any]]:
    """Every attachment in an envelope: those of messages, of previews and of quotes."""
    if isinstance(value, list):
        for item in value:
            yield from _attachments(item)
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if key in ("attachments", "image", "thumbnail", "fileAttachment"):
            yield from (one for one in _listed(item) if "contentType" in one and "id" in one)
        yield from _attachments(item)


def _listed(item: Any) -> Iterator[dict[str, Any]]:
    for one in item if isinstance(item, list) else [item]:
        if isinstance(one, dict):
            yield one
