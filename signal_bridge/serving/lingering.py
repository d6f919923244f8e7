"""Connections that are answered and end: what their clients still send is thrown away.

A client may write its whole body before it reads. A connection that is closed with something unread
is reset, and the answer that is under way is lost to it (RFC 9112, 9.6).
"""

from __future__ import annotations

import time
from socket import MSG_TRUNC, SHUT_WR
from typing import Any, Final

from signal_bridge.serving.connection import Connection
from signal_bridge.serving.lobby import Lobby

# So long a client may pause, and write in all.
_PAUSE_SECONDS: Final = 2.0
_MOST_SECONDS: Final = 10.0
_MOST_SECONDS_AT_STOP: Final = 0.5
# What is discarded is not even copied (MSG_TRUNC, tcp(7)). Whoever writes more than all that
# discard may take in one turn of the loop goes on in the next.
_DISCARD_BYTES: Final = 256 * 1024
_DISCARDS_A_TURN: Final = 32


class Lingering:
    """Each discards up to `most_bytes`. Used on the thread of the event loop alone."""

    def __init__(self, lobby: Lobby, most_bytes: int) -> None:
        self._lobby: Final = lobby
        self._most_bytes: Final = most_bytes
        self._waste: Final = bytearray(_DISCARD_BYTES)
        self._discards_left = _DISCARDS_A_TURN

    def begin_turn(self) -> None:
        """Of the event loop."""
        self._discards_left = _DISCARDS_A_TURN

    def begin(self, conn: Connection, poller: Any, is_stopping: bool) -> None:
        """Nothing more is written. Raises OSError when it is over already."""
        conn.sock.shutdown(SHUT_WR)
        conn.reading.buffer.clear()
        conn.parser = None
        self._lobby.count(conn, 0)
        conn.is_lingering = True
        seconds = _MOST_SECONDS_AT_STOP if is_stopping else _MOST_SECONDS
        conn.lingers_until = time.monotonic() + seconds
        self._wait(conn, poller)

    def discard(self, conn: Connection, poller: Any) -> bool:
        """Some of what has come. Whether it is over. Raises OSError when the connection is lost."""
        if self._discards_left == 0:
            return False
        self._discards_left -= 1
        size_bytes = conn.sock.recv_into(self._waste, 0, MSG_TRUNC)
        conn.discarded_bytes += size_bytes
        self._wait(conn, poller)
        return not size_bytes or conn.discarded_bytes > self._most_bytes

    def _wait(self, conn: Connection, poller: Any) -> None:
        left_seconds = max(0.0, conn.lingers_until - time.monotonic())
        self._lobby.wait(conn, min(left_seconds, _PAUSE_SECONDS), poller)
