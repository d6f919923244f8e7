"""The connections that are on the event loop, and how much of their requests lies in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from selectors import EVENT_READ
from typing import Any, Final

from signal_bridge.serving.connection import Connection
from signal_bridge.serving.crowd import Crowd

# Of requests that are not answered yet. One has at most its head and 64 KiB of a body.
_BUFFERED_BYTES: Final = 32 * 2**20


class Lobby:
    """Where connections wait for something to come: `receive` is called when it does.

    Used on the thread of the event loop alone.
    """

    def __init__(self, receive: Callable[[Connection, Any], None]) -> None:
        self._receive: Final = receive
        self._crowd: Final[Crowd[Connection]] = Crowd()
        # Of those that wait, for more or for their turn.
        self._buffered_bytes = 0
        self._bytes_by_client: Final[dict[str, int]] = {}  # none is 0

    def wait(self, conn: Connection, seconds: float, poller: Any) -> None:
        """For so long at the most."""
        conn.until = time.monotonic() + seconds
        if not conn.is_waiting:
            conn.is_waiting = True
            self._crowd.add(conn)
            poller.register(conn.sock, EVENT_READ, partial(self._receive, conn))

    def leave(self, conn: Connection, poller: Any) -> None:
        """It waits for nothing more."""
        if conn.is_waiting:
            conn.is_waiting = False
            self._crowd.remove(conn)
            poller.unregister(conn.sock)

    def call(self, conn: Connection, owner: str) -> None:
        """From now on it counts as this client's."""
        if owner == conn.owner:
            return
        counted_bytes = conn.counted_bytes
        self.count(conn, 0)
        if conn.is_waiting:
            self._crowd.remove(conn)
        conn.owner = conn.sock.owner = owner
        if conn.is_waiting:
            self._crowd.add(conn)
        self.count(conn, counted_bytes)

    def count(self, conn: Connection, size_bytes: int) -> None:
        """So many bytes of it are in memory, while no thread has it."""
        more_bytes = size_bytes - conn.counted_bytes
        if not more_bytes:
            return
        conn.counted_bytes = size_bytes
        self._buffered_bytes += more_bytes
        own_bytes = self._bytes_by_client.get(conn.owner, 0) + more_bytes
        if own_bytes:
            self._bytes_by_client[conn.owner] = own_bytes
        else:
            del self._bytes_by_client[conn.owner]

    def is_too_heavy(self) -> bool:
        """Whether there is more in memory than may be."""
        return self._buffered_bytes > _BUFFERED_BYTES

    def all(self) -> list[Connection]:
        """Those that wait for something to come."""
        return list(self._crowd)

    def late(self, now: float) -> list[Connection]:
        """Those of them whose time is up."""
        return self._crowd.late(now)

    def count_of(self, owner: str) -> int:
        """How many of this client wait for something to come."""
        return self._crowd.count_of(owner)

    def first_to_go(self) -> Connection | None:
        """Of the client with the most that wait, the one that has waited longest."""
        return self._crowd.first_to_go()

    def heaviest(self) -> str:
        """The client with the most in memory; there is some."""
        return max(self._bytes_by_client, key=self._bytes_by_client.__getitem__)

    def heavy_of(self, owner: str) -> Connection | None:
        """Of this client's that wait for something to come, the first with something in memory."""
        return next((one for one in self._crowd.of(owner) if one.counted_bytes), None)
