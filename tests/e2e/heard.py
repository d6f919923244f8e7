"""What arrived somewhere, in one shape: at the bridge as JSON, or on a phone as protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
# Gives the bytes of an attachment, from whatever describes it.
Fetch = Callable[[Json], bytes]


@dataclass(frozen=True)
class Heard:
    """One message. `about` is the timestamp of the message it edits, deletes or reacts to."""

    sender: str
    timestamp: int
    kind: str
    text: str | None = None
    about: int | None = None
    detail: str = ""
    group: str | None = None
    quote: tuple[int, str] | None = None
    mentions: tuple[tuple[int, int, str], ...] = ()
    styles: tuple[tuple[int, int, str], ...] = ()
    attachments: tuple[Json, ...] = ()
    view_once: bool = False
    expires: int = 0  # seconds after it was read; 0: never
    receipt_for: tuple[int, ...] = ()
    fetch: Fetch = field(default=lambda _: b"", repr=False, compare=False)

    @property
    def files(self) -> list[bytes]:
        return [self.fetch(attachment) for attachment in self.attachments]


def at_the_bridge(element: Json, fetch: Fetch) -> Heard:
    """An element of `/v1/receive`: signal-cli's envelope."""
    envelope = element["envelope"]
    base: Json = {
        "sender": envelope.get("sourceNumber") or envelope.get("source"),
        "timestamp": envelope["timestamp"],
        "fetch": fetch,
    }
    if typing := envelope.get("typingMessage"):
        return Heard(**base, kind="typing", detail=typing["action"])
    if receipt := envelope.get("receiptMessage"):
        kinds = {"isDelivery": "DELIVERY", "isRead": "READ", "isViewed": "VIEWED"}
        detail = next(word for name, word in kinds.items() if receipt[name])
        times = tuple(receipt["timestamps"])
        return Heard(**base, kind="receipt", detail=detail, receipt_for=times)
    if edit := envelope.get("editMessage"):
        data, about = edit["dataMessage"], edit["targetSentTimestamp"]
        return Heard(**base, kind="edit", about=about, **_of_data(data))
    data = envelope.get("dataMessage")
    if data is None:
        return Heard(**base, kind="other")
    if reaction := data.get("reaction"):
        kind = "reaction taken back" if reaction["isRemove"] else "reaction"
        about = reaction["targetSentTimestamp"]
        return Heard(**base, kind=kind, detail=reaction["emoji"], about=about)
    if deleted := data.get("remoteDelete"):
        return Heard(**base, kind="delete", about=deleted["timestamp"])
    return Heard(**base, kind="message", **_of_data(data))


def _of_data(data: Json) -> Json:
    quote = data.get("quote")
    return {
        "text": data.get("message"),
        "group": (data.get("groupInfo") or {}).get("groupId"),
        "quote": (quote["id"], quote["text"]) if quote else None,
        "mentions": _ranges(data.get("mentions"), "uuid"),
        "styles": _ranges(data.get("textStyles"), "style"),
        "attachments": tuple(data.get("attachments") or ()),
        "view_once": data["viewOnce"],
        "expires": data["expiresInSeconds"],
    }


def on_a_phone(received: Json, fetch: Fetch) -> Heard:
    """What the mock's phone wrote down: a Content of the protocol as JSON."""
    content = received["content"]
    base: Json = {
        "sender": received.get("source", ""),
        "timestamp": received.get("timestamp", 0),
        "fetch": fetch,
    }
    if typing := content.get("typingMessage"):
        return Heard(**base, kind="typing", detail=typing.get("action", "STARTED"))
    if receipt := content.get("receiptMessage"):
        detail, times = receipt.get("type", "DELIVERY"), tuple(receipt["timestamp"])
        return Heard(**base, kind="receipt", detail=detail, receipt_for=times)
    if edit := content.get("editMessage"):
        about, data = edit["targetSentTimestamp"], edit["dataMessage"]
        return Heard(**base, kind="edit", about=about, **_of_protocol(data, received))
    data = content.get("dataMessage")
    if data is None:
        return Heard(**base, kind="other")
    if reaction := data.get("reaction"):
        kind = "reaction taken back" if reaction.get("remove") else "reaction"
        about = reaction["targetSentTimestamp"]
        return Heard(**base, kind=kind, detail=reaction["emoji"], about=about)
    if deleted := data.get("delete"):
        return Heard(**base, kind="delete", about=deleted["targetSentTimestamp"])
    return Heard(**base, kind="message", **_of_protocol(data, received))


def _of_protocol(data: Json, received: Json) -> Json:
    quote = data.get("quote")
    ranges = data.get("bodyRanges") or []
    return {
        "text": data.get("body"),
        "group": received.get("group"),
        "quote": (quote["id"], quote["text"]) if quote else None,
        "mentions": _ranges([one for one in ranges if "mentionAci" in one], "mentionAci"),
        "styles": _ranges([one for one in ranges if "style" in one], "style"),
        "attachments": tuple(data.get("attachments") or ()),
        "view_once": data.get("isViewOnce", False),
        "expires": data.get("expireTimer", 0),
    }


def _ranges(ranges: list[Json] | None, of: str) -> tuple[tuple[int, int, str], ...]:
    return tuple((one.get("start", 0), one["length"], one[of]) for one in ranges or ())
