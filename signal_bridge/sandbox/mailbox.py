"""What waits on the "server" for one account, bounded in number and in size. Pure."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import orjson

MAX_MESSAGES: Final = 10_000
MAX_BYTES: Final = 32 * 1024 * 1024

Envelope = dict[str, Any]


class Mailbox:
    """Envelopes in the order they came. When it is full, the oldest go."""

    def __init__(self, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._waiting: deque[tuple[int, Envelope]] = deque()
        self._bytes = 0

    def put(self, envelope: Envelope) -> int:
        """Add one, and return how many had to go for it."""
        size = _size(envelope)
        self._waiting.append((size, envelope))
        self._bytes += size
        dropped = 0
        while self._overfull():
            self.take()
            dropped += 1
        return dropped

    def take(self) -> Envelope:
        """The oldest envelope, which is not kept. Raises IndexError when there is none."""
        size, envelope = self._waiting.popleft()
        self._bytes -= size
        return envelope

    def __len__(self) -> int:
        return len(self._waiting)

    def _overfull(self) -> bool:
        if len(self._waiting) > self._max_messages:
            return True
        return self._bytes > self._max_bytes and len(self._waiting) > 1


def _size(envelope: Envelope) -> int:
    try:
        return len(orjson.dumps(envelope))
    except TypeError:  # half a surrogate pair; its exact size does not matter
        return len(repr(envelope))
