"""An event in the formats that its readers get. Pure: stored JSON text in, JSON text out.

A payload is normalised before it is stored (envelope.py), so readers get its text as it stands, or
with members put beside its own. Nothing is parsed for that; only a poll has to look for the data
message, which it repeats beside the envelope.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from signal_bridge.feed.event import Event

# What readers get beside what signal-cli sent. A payload of its that has such a member itself
# begins with one (envelope.py), so that a look at the first bytes tells: no name may be in an
# object twice, and ours is the one that counts. No signal-cli has sent one so far, so that what an
# earlier version has stored has none.
NAMES_BESIDE: Final = ("dataMessage", "seq", "type", "id", "received_at")
_TAKEN: Final = tuple(b'{"%s":' % name.encode() for name in NAMES_BESIDE)


def frame(event: Event) -> bytes:
    """`{"envelope": …, "account": …}`: a frame of the peer's WebSocket, the data of its SSE."""
    return event.payload


def poll_element(event: Event) -> bytes:
    """An element of a poll's array: the data message is repeated beside the envelope."""
    if b'"dataMessage":' not in event.payload:
        return event.payload
    envelope = orjson.loads(event.payload).get("envelope")
    if not isinstance(envelope, dict) or "dataMessage" not in envelope:
        return event.payload
    return with_members(event, {"dataMessage": envelope["dataMessage"]})


def numbered_element(event: Event) -> bytes:
    """A frame with the seq, the event's id and its type, for those who keep a cursor.

    `received_at` is in ms since the epoch. Raises ValueError as `with_members` does.
    """
    members = {
        "seq": event.seq,
        "type": event.kind,
        "id": event.id,
        "received_at": event.received_at_ms,
    }
    return with_members(event, members)


def jsonrpc_line(event: Event) -> bytes:
    """signal-cli's whole notification with its line feed, as the peer's webhook posts it.

    Raises ValueError when what is stored is no object.
    """
    return b'{"jsonrpc":"2.0","method":"receive","params":' + _object(event) + b"}\n"


def with_members(event: Event, members: Mapping[str, Any]) -> bytes:
    """A frame with `members` beside its own, of which they replace those that have their names.

    The names are some of NAMES_BESIDE. Raises ValueError when what is stored is no object.
    """
    payload = _object(event)
    # What the bridge says of itself is in any order, and rare.
    if "." in event.kind or payload.startswith(_TAKEN):
        return orjson.dumps({**orjson.loads(payload), **members})
    text = orjson.dumps(members)
    return text if payload == b"{}" else payload[:-1] + b"," + text[1:]


def _object(event: Event) -> bytes:
    if not event.payload.startswith(b"{") or not event.payload.endswith(b"}"):
        raise ValueError("what is stored is no JSON object")
    return event.payload
