"""How messages look in the recorded lines of signal-cli: keys in their order."""

from __future__ import annotations

from typing import Any

from signal_bridge.sandbox.versions import Version
from tests.sandbox.daemon import BOB, Client

ACI = "5a9d6b0c-0000-4000-8000-0{}"
NEVER = 1_700_000_000_000

ENVELOPE = [
    "source", "sourceNumber", "sourceUuid", "sourceName", "sourceDevice", "timestamp",
    "serverReceivedTimestamp", "serverDeliveredTimestamp",
]  # fmt: skip
ATTACHMENT = [
    "contentType", "filename", "id", "size", "width", "height", "caption", "uploadTimestamp",
]  # fmt: skip


def data_keys(knows: Version, *more: str) -> list[str]:
    """Those of a data message that has `more` than a text."""
    marks = ["isExpirationUpdate"] if knows.marks_timer_changes else []
    return ["timestamp", "message", "expiresInSeconds", *marks, "viewOnce", *more]


def aci(number: str) -> str:
    return ACI.format(number.lstrip("+"))


def target(name: str, number: str) -> dict[str, str]:
    return {name: number, f"{name}Number": number, f"{name}Uuid": aci(number)}


def arrives(client: Client, method: str, **params: Any) -> dict[str, Any]:
    """Send from Alice to Bob, and take the data message that Bob gets."""
    sent = client.result(method, **{"recipient": [BOB], **params})
    assert [entry["type"] for entry in sent["results"]] == ["SUCCESS"]
    return client.data_message(BOB, sent["timestamp"])
