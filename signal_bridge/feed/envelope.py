"""What a `receive` notification holds: pure, and never surprised.

Whatever signal-cli sends becomes an event: an envelope it could not decrypt, a kind we have never
heard of, even something without an envelope. Its object is kept whole (signal-cli-rpc.md 3).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import orjson

from signal_bridge.feed.event import Arrival

# Content key of the envelope -> kind of event. At most one is there (signal-cli-rpc.md 3.2).
_KINDS: Final = {
    "dataMessage": "message",
    "editMessage": "edit",
    "storyMessage": "story",
    "syncMessage": "sync",
    "callMessage": "call",
    "receiptMessage": "receipt",
    "typingMessage": "typing",
}

# Within a data message, what it is about says more than that it is one.
_DATA_KINDS: Final = {"reaction": "reaction", "remoteDelete": "delete"}

# These differ when signal-cli hands out the same message again, or may.
_NOT_IDENTITY: Final = frozenset(
    {"serverReceivedTimestamp", "serverDeliveredTimestamp", "sourceName", "sourceNumber", "source"}
)

_MOST_LEVELS: Final = 200


def arrival_of(params: Any) -> Arrival:
    """The event in the params of a `receive` notification.

    Both shapes are read: bare `{"envelope", "account"}`, and that wrapped in
    `{"subscription", "result"}` (signal-cli-rpc.md 1.8).
    """
    body = _unwrapped(params)
    envelope = _mapping(body.get("envelope"))
    account = _text(body.get("account"))
    kind = kind_of(body, envelope)
    return Arrival(
        account,
        kind,
        _dedup_key(account, kind, envelope, body),
        _json(body),
        sender_uuid=_text(envelope.get("sourceUuid")),
        sender_number=_text(envelope.get("sourceNumber")),
    )


def unstorable(arrival: Arrival) -> Arrival:
    """The same event for a database that refuses it: its columns plain, its payload whole."""
    digest = hashlib.sha256(arrival.payload).hexdigest()
    account = arrival.account if arrival.account.isascii() and len(arrival.account) < 100 else ""
    return Arrival(account, "error", f"unstorable:{digest}", arrival.payload)


def account_of(params: Any) -> str:
    """The account a `receive` notification is for, empty when it names none."""
    return _text(_unwrapped(params).get("account"))


def kind_of(body: Mapping[str, Any], envelope: Mapping[str, Any]) -> str:
    """message, edit, reaction, delete, story, sync, call, receipt, typing, error or other."""
    if body.get("exception") is not None:
        return "error"
    for key, kind in _KINDS.items():
        if key in envelope:
            return _data_kind(envelope[key]) if key == "dataMessage" else kind
    return "other"


def _data_kind(data: Any) -> str:
    for key, kind in _DATA_KINDS.items():
        if _mapping(data).get(key) is not None:
            return kind
    return "message"


def _unwrapped(params: Any) -> Mapping[str, Any]:
    outer = _mapping(params)
    return _mapping(outer.get("result")) if "subscription" in outer else outer


def _text(value: Any) -> str:
    """Without NUL, which no column of PostgreSQL can hold; the payload keeps it."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _dedup_key(
    account: str, kind: str, envelope: Mapping[str, Any], body: Mapping[str, Any]
) -> str:
    """Account, sender, device, time and kind name a message; so does its content.

    After a crash signal-cli hands out what it had not yet deleted from its disk, the same content
    once more. Content is part of the key because a lost message is worse than a doubled one: two
    call messages of one millisecond are two.
    """
    sender = envelope.get("sourceUuid") or envelope.get("source")
    content = {key: value for key, value in envelope.items() if key not in _NOT_IDENTITY}
    digest = hashlib.sha256(
        _json([content, body.get("exception")], orjson.OPT_SORT_KEYS)
    ).hexdigest()
    parts = (account, sender, envelope.get("sourceDevice"), envelope.get("timestamp"), kind)
    return ":".join([*(_text(str(part)) for part in parts), digest[:16]])


def _json(value: Any, option: int = 0) -> bytes:
    """As JSON text. orjson reads 1024 levels but writes only 254; Signal's have about ten."""
    try:
        return orjson.dumps(value, option=option)
    except TypeError:
        return orjson.dumps(_cut(value, _MOST_LEVELS), option=option)


def _cut(value: Any, levels: int) -> Any:
    """`value` with null in place of what lies deeper than `levels`."""
    if not isinstance(value, (dict, list)):
        return value
    if levels == 0:
        return None
    if isinstance(value, dict):
        return {key: _cut(item, levels - 1) for key, item in value.items()}
    return [_cut(item, levels - 1) for item in value]
