"""A signal-cli that has messages to hand out, and keeps what it could not hand over."""

from __future__ import annotations

import json
import threading

from sqlalchemy import exc

from tests.conftest import ACCOUNT
from tests.support import Bridge, ScriptedDaemon
from tests.support.databases import rows
from tests.support.scripted_daemon import Connection, Request, receive_line, text_envelope

SENDER = "+4915198765"
FIRST_TIMESTAMP_MS = 1_700_000_000_000

_CHUNK = 10
_PAUSE_SECONDS = 0.004
_AWAY_SECONDS = 0.2
# After a crash signal-cli hands out again what it had not yet deleted from its disk.
_AGAIN = 20


def line(number: int, text: str = "") -> bytes:
    """Message `number` as signal-cli hands it out."""
    envelope = text_envelope(SENDER, text or str(number), FIRST_TIMESTAMP_MS + number)
    return receive_line(ACCOUNT, envelope)


def stored(bridge: Bridge) -> list[int]:
    """The numbers of the messages in the database as they stand there now."""
    return [_number(payload) for payload in _payloads(bridge, "ORDER BY seq")]


class Source:
    """Hands out messages 0, 1, 2 … up to `allow`, on whatever connection the bridge subscribes.

    On a new connection it begins with what the bridge has not stored, and a little before that.
    As a context manager it is on its way from the beginning to the end of the block.
    """

    def __init__(self, daemon: ScriptedDaemon, bridge: Bridge) -> None:
        self._bridge = bridge
        self._allowed = 0
        self._next = 0
        # Guards `_connection`, `_allowed` and `_done`; notified when one changes.
        self._changed = threading.Condition()
        self._connection: Connection | None = None
        self._done = False
        self._thread = threading.Thread(target=self._run, name="source", daemon=True)
        daemon.on("subscribeReceive", self._subscribe)

    def __enter__(self) -> Source:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._done = True
            self._changed.notify_all()
        self._thread.join(10)

    def allow(self, count: int) -> None:
        """Hand out `count` messages in all; more may be allowed later."""
        with self._changed:
            self._allowed = count
            self._changed.notify_all()

    def _subscribe(self, connection: Connection, request: Request) -> None:
        connection.reply(request, {"result": 0})
        with self._changed:
            self._connection = connection
            self._changed.notify_all()

    def _run(self) -> None:
        serving: Connection | None = None
        while (connection := self._connection_with_work(serving)) is not None:
            if connection is not serving:
                serving, self._next = connection, self._first_to_hand_out()
            until = min(self._next + _CHUNK, self._allowed)
            connection.write(b"".join(line(number) for number in range(self._next, until)))
            self._next = until

    def _connection_with_work(self, serving: Connection | None) -> Connection | None:
        """Waits for something to do. None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._done, _PAUSE_SECONDS)
            self._changed.wait_for(lambda: self._done or self._has_work(serving))
            return None if self._done else self._connection

    def _has_work(self, serving: Connection | None) -> bool:
        if self._connection is None:
            return False
        return self._connection is not serving or self._next < self._allowed

    def _first_to_hand_out(self) -> int:
        newest = self._newest_stored()
        return 0 if newest is None else max(0, _number(newest) + 1 - _AGAIN)

    def _newest_stored(self) -> bytes | None:
        """Waits for a database that is away: it alone knows what has been handed over."""
        while True:
            try:
                return next(iter(_payloads(self._bridge, "ORDER BY seq DESC LIMIT 1")), None)
            except exc.DBAPIError:
                with self._changed:
                    if self._changed.wait_for(lambda: self._done, _AWAY_SECONDS):
                        return None


def _number(payload: bytes) -> int:
    return int(json.loads(payload)["envelope"]["timestamp"]) - FIRST_TIMESTAMP_MS


def _payloads(bridge: Bridge, order: str) -> list[bytes]:
    query = f"SELECT payload FROM events WHERE kind = 'message' {order}"
    return [payload for (payload,) in rows(bridge, query)]
