"""What a `receive` notification holds: pure, and never surprised.

Whatever signal-cli sends becomes an event: an envelope it could not decrypt, a kind we have never
heard of, even something without an envelope. It is read here, once; nobody who reads the feed
reads it again. Its object is kept whole (signal-cli.rst 3): no key is dropped and none is added
as null. One thing is added: `isVoiceNote: false` where an attachment lacks it, since signalbot
loses a message without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from signal_bridge.feed.event import Arrival
from signal_bridge.feed.formats import NAMES_BESIDE

# Content key of the envelope -> kind of event. At most one is there (signal-cli.rst 3.2).
_MESSAGE: Final = "message"
_KINDS: Final = {
    "dataMessage": _MESSAGE,
    "editMessage": "edit",
    "storyMessage": "story",
    "syncMessage": "sync",
    "callMessage": "call",
    "receiptMessage": "receipt",
    "typingMessage": "typing",
}

# Within a data message, what it is about says more than that it is one. These are what the bridge
# told apart at first: keys of databases have them.
_FIRST_DATA_KINDS: Final = {"reaction": "reaction", "remoteDelete": "delete"}
_DATA_KINDS: Final = {
    "adminDelete": "admin_delete",
    "pinMessage": "pin",
    "unpinMessage": "unpin",
    "pollCreate": "poll",
    "pollVote": "poll_vote",
    "pollTerminate": "poll_close",
    "payment": "payment",
}
# Somebody has said something if one of these is there and holds something.
_CONTENT: Final = (
    "attachments",
    "sticker",
    "contacts",
    "quote",
    "previews",
    "storyContext",
    "viewOnce",
)

# These differ when signal-cli hands out the same message again, or may.
_NOT_IDENTITY: Final = frozenset(
    {"serverReceivedTimestamp", "serverDeliveredTimestamp", "sourceName", "sourceNumber", "source"}
)

_MOST_LEVELS: Final = 200

# A member that every attachment has. In a string its quotes would have backslashes.
_ATTACHMENT: Final = b'"contentType":'
_HOLD_ATTACHMENTS: Final = frozenset({"attachments", "image", "thumbnail", "fileAttachment"})


class Envelope(NamedTuple):
    """A `receive` notification in the one form that its columns, dedup key and payload come from.

    `first_kind` is the kind by which databases know it: the dedup key alone has that, too.
    `account`, `sender_uuid` (an ACI) and `sender_number` are empty where signal-cli names none.
    `sender` is the ACI, else whatever `source` says; it, `device` and `timestamp` (ms) are what
    was sent, as Python writes it, "None" when absent: only the dedup key has them. `digest` is
    over the content as signal-cli sent it, `payload` the JSON text of the whole, normalised.
    """

    account: str
    kind: str
    first_kind: str
    sender: str
    sender_uuid: str
    sender_number: str
    device: str
    timestamp: str
    digest: str
    payload: bytes

    @property
    def dedup_key(self) -> str:
        """Account, sender, device, time and kind name a message; so does its content.

        After a crash signal-cli hands out what it had not yet deleted from its disk, the same
        content once more. Content is part of the key because a lost message is worse than a
        doubled one: two call messages of one millisecond are two.
        """
        head = (self.account, self.sender, self.device, self.timestamp)
        return _text(":".join((*head, self.first_kind, self.digest)))


def read_envelope(params: Any) -> Envelope:
    """The envelope in the params of a `receive` notification, whatever they are.

    Both shapes are read: bare `{"envelope", "account"}`, and that wrapped in
    `{"subscription", "result"}` (signal-cli.rst 1.8). What is passed in stays as it is.
    """
    body = _body_of(params)
    envelope = _mapping(body.get("envelope"))
    return Envelope(
        account=_text(body.get("account")),
        kind=kind_of(body, envelope),
        first_kind=_first_kind_of(body, envelope),
        sender=str(envelope.get("sourceUuid") or envelope.get("source")),
        sender_uuid=_text(envelope.get("sourceUuid")),
        sender_number=_text(envelope.get("sourceNumber")),
        device=str(envelope.get("sourceDevice")),
        timestamp=str(envelope.get("timestamp")),
        digest=_digest(envelope, body.get("exception")),
        payload=_payload(body),
    )


def arrival_of(params: Any) -> Arrival:
    """The event in the params of a `receive` notification, ready to be stored."""
    envelope = read_envelope(params)
    return Arrival(
        envelope.account,
        envelope.kind,
        envelope.dedup_key,
        envelope.payload,
        sender_uuid=envelope.sender_uuid,
        sender_number=envelope.sender_number,
    )


def params_in_place_of(account: str, timestamp_ms: int, why: str) -> dict[str, Any]:
    """What signal-cli might have said of a notification that cannot be read: an exception.

    `why` must differ where the notifications do, for what is the same is kept once.
    """
    unknown = dict.fromkeys(("source", "sourceNumber", "sourceUuid", "sourceName", "sourceDevice"))
    return {
        "envelope": {**unknown, "timestamp": timestamp_ms},
        "account": account,
        "exception": {"message": why, "type": "UnreadableNotification"},
    }


def error_in_place_of(arrival: Arrival) -> Arrival:
    """The same event for a database that refuses it: its columns plain, its payload whole."""
    digest = hashlib.sha256(arrival.payload).hexdigest()
    account = arrival.account if arrival.account.isascii() and len(arrival.account) < 100 else ""
    return Arrival(account, "error", f"unstorable:{digest}", arrival.payload)


def account_of(params: Any) -> str:
    """The account a `receive` notification is for, empty when it names none."""
    return _text(_body_of(params).get("account"))


def kind_of(body: Mapping[str, Any], envelope: Mapping[str, Any]) -> str:
    """One of filters.SIGNAL_KINDS (docs/events.rst)."""
    first = _first_kind_of(body, envelope)
    return _data_kind(_mapping(envelope["dataMessage"])) if first == _MESSAGE else first


def _first_kind_of(body: Mapping[str, Any], envelope: Mapping[str, Any]) -> str:
    """The kind in the dedup key, where every data message but two kinds is a message."""
    if body.get("exception") is not None:
        return "error"
    for key, kind in _KINDS.items():
        if key in envelope:
            return _named(_mapping(envelope[key]), _FIRST_DATA_KINDS) if kind == _MESSAGE else kind
    return "other"


def _data_kind(data: Mapping[str, Any]) -> str:
    """A message is what somebody has said; signal-cli puts much more into its data messages."""
    kind = _named(data, _DATA_KINDS)
    if kind != _MESSAGE or data.get("message") is not None or any(map(data.get, _CONTENT)):
        return kind
    if data.get("isExpirationUpdate") is True:
        return "timer"
    return "group_update" if _mapping(data.get("groupInfo")).get("type") == "UPDATE" else "other"


def _named(data: Mapping[str, Any], kinds: Mapping[str, str]) -> str:
    return next((kind for key, kind in kinds.items() if data.get(key) is not None), _MESSAGE)


def _body_of(params: Any) -> Mapping[str, Any]:
    outer = _mapping(params)
    return _mapping(outer.get("result")) if "subscription" in outer else outer


def _text(value: Any) -> str:
    """Without NUL, which no column of PostgreSQL can hold; the payload keeps it."""
    return value.replace("\0", "\ufffd") if isinstance(value, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _digest(envelope: Mapping[str, Any], exception: Any) -> str:
    """Of the content. Databases hold what this makes: the same content must never give another."""
    content = {key: value for key, value in envelope.items() if key not in _NOT_IDENTITY}
    text = _json([content, exception], orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:16]


def _payload(body: Mapping[str, Any]) -> bytes:
    """The text of the normalised body."""
    if not body.keys().isdisjoint(NAMES_BESIDE):  # signal-cli has no such member so far
        body = {**{name: body[name] for name in NAMES_BESIDE if name in body}, **body}
    text = _json(body)
    if _ATTACHMENT not in text:
        return text
    # A copy: what was passed in is not ours to change, and may be deeper than can be walked.
    copy = orjson.loads(text)
    _default_voice_notes([copy.get("envelope")])
    return orjson.dumps(copy)


def _default_voice_notes(value: Any) -> None:
    """In every attachment below an object or list: those of messages, of previews, of quotes."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if not isinstance(item, (dict, list)):
            continue
        if key in _HOLD_ATTACHMENTS:
            _default_voice_note(item)
        _default_voice_notes(item)


def _default_voice_note(item: Any) -> None:
    """In an attachment, or each in a list of them, that does not say whether it is one."""
    for one in item if isinstance(item, list) else [item]:
        if isinstance(one, dict) and "contentType" in one and "id" in one:
            one.setdefault("isVoiceNote", False)


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
