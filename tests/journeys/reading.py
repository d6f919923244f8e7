"""Reading an account as a client does, poll by poll."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support import Bridge, Process, eventually

Element = dict[str, Any]


def poll(bridge: Bridge, number: str, timeout: int = 1, **query: Any) -> list[Element]:
    """One poll that must succeed."""
    answer = bridge.get(f"/v1/receive/{number}", params={"timeout": timeout, **query})
    assert answer.status_code == 200, answer.text
    elements: list[Element] = answer.json()
    return elements


def drain(bridge: Bridge, number: str) -> list[Element]:
    """Everything there is until nothing more comes."""
    elements = []
    while more := poll(bridge, number):
        elements += more
    return elements


def text_of(element: Element) -> str | None:
    message = element.get("dataMessage") or {}
    text = message.get("message")
    return None if text is None else str(text)


def received(
    bridge: Bridge, number: str, wanted: Callable[[Element], Any], seconds: float = 20.0
) -> Element:
    """The first element that is `wanted`, polled for."""

    def found() -> Element | None:
        return next((one for one in poll(bridge, number, timeout=5) if wanted(one)), None)

    return eventually(found, seconds, f"the wanted message for {number}")  # type: ignore[return-value]


def received_text(bridge: Bridge, number: str, text: str) -> Element:
    return received(bridge, number, lambda element: text_of(element) == text)


def texts_until(bridge: Bridge, number: str, count: int, seconds: float = 30.0) -> list[str]:
    """The texts in the order of arrival, until there are `count` of them, and whatever follows."""
    texts: list[str] = []

    def enough() -> bool:
        texts.extend(text for one in poll(bridge, number) if (text := text_of(one)) is not None)
        return len(texts) >= count

    eventually(enough, seconds, lambda: f"{count} messages for {number}; there are {len(texts)}")
    return texts + [text for one in drain(bridge, number) if (text := text_of(one)) is not None]


def waiting_readers(bridge: Bridge) -> int:
    """How many requests wait for the feed. Who does has an eventfd, and each worker has one more
    for all of them. Nothing of it is seen from outside, so look inside."""
    counts = [_eventfds(child) for child in bridge.children() if "gunicorn" in child.command]
    return sum(count - 1 for count in counts if count)


def wait_for_a_reader(bridge: Bridge) -> None:
    """Until a request waits for the feed."""
    eventually(lambda: waiting_readers(bridge) > 0, what="a reader that waits")


def _eventfds(process: Process) -> int:
    count = 0
    with contextlib.suppress(OSError):  # the process may end
        for entry in Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # a file may be closed
                count += entry.readlink().name == "anon_inode:[eventfd]"
    return count
