"""What an account has received, read from the feed: nothing is taken away from anybody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support import Bridge, eventually

SECONDS = 20
Envelope = dict[str, Any]


def received(bridge: Bridge, number: str, wanted: Callable[[Envelope], Any]) -> Envelope:
    """The first envelope of an account that is `wanted`, waited for."""
    seen: list[Envelope] = []
    after = 0

    def found() -> Envelope | None:
        nonlocal after
        query: dict[str, Any] = {"account": number, "after": after, "limit": 1000, "timeout": 2}
        page = bridge.get("/v1/events", params=query).json()
        seen.extend(event.get("envelope", {}) for event in page["events"])
        after = page["next"]
        return next(filter(wanted, seen), None)

    return eventually(found, SECONDS, lambda: f"the wanted among {seen}")  # type: ignore[return-value]


def received_text(bridge: Bridge, number: str, text: str) -> Envelope:
    """The first envelope whose message contains `text`."""
    return received(bridge, number, lambda e: text in str(data_of(e).get("message")))


def data_of(envelope: Envelope) -> dict[str, Any]:
    """Its data message, empty when it has none."""
    return envelope.get("dataMessage") or {}
