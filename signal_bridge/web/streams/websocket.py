"""WebSocket: the feed in the peer's frames, one text frame an event (RFC 6455 by wsproto).

One thread serves one client, and waits for two things at once: its socket, and the feed. Nothing
is queued in memory: what a slow client has not read yet is still in the database.

How far a client got is known by its pongs. A ping after each batch carries the seq of the batch's
last frame; the pong that echoes it says that the client's library has read everything before it,
and only then does the cursor move. Who answers none of several pings is gone, whatever it says.

What a client may take is bounded, too. It has nothing to say to the bridge but pongs and a few
pings, and its answers must not be the work of a thread; it has to read, if slowly.
"""

from __future__ import annotations

import logging
import select
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any, Final

from flask import Response
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping, Pong
from wsproto.events import Event as WireEvent
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, RemoteProtocolError, generate_accept_token

from signal_bridge.clock import Deadline
from signal_bridge.errors import RequestError, StoreError
from signal_bridge.feed.event import Gap
from signal_bridge.feed.formats import frame
from signal_bridge.feed.watch import WaitingFollower
from signal_bridge.gunicorn_parts import CLIENT_SOCKET, end_without_answer
from signal_bridge.web.edge.context import client
from signal_bridge.web.streams.reading import Reader

log = logging.getLogger(__name__)

PING_EVERY_SECONDS: Final = 25.0
# Generous: a client may be busy for two pings.
_SILENT_SECONDS: Final = 80.0
# A client that reads may pause for so long, and has to take so much, which is less than any mobile
# network gives: a message of 64 KB is read within 74 s. Who is dropped goes on where it was.
_PAUSE_SECONDS: Final = 10.0
_LEAST_BYTES_PER_SECOND: Final = 1024
# How soon a stop is noticed by who waits for such a client.
_LOOK_SECONDS: Final = 1.0
_BATCH: Final = 100
_READ_BYTES: Final = 16384
# What the kernel keeps for a client that does not read; without a limit it is megabytes.
_SEND_BUFFER_BYTES: Final = 128 * 1024
# What a client says unasked: so much at once, and so much in the long run. Each frame costs more to
# read than it cost to send, and each ping an answer.
_MOST_FRAMES: Final = 100
_FRAMES_PER_SECOND: Final = 10
_MOST_BYTES: Final = 64 * 1024
_BYTES_PER_SECOND: Final = 4096
_PONG_BYTES: Final = 32


class _GoneError(Exception):
    """The client is not there any more, or does not read."""


class UpgradedResponse(Response):
    """What the view returns when the WebSocket is over: nothing more may be written."""

    def __call__(self, *_: Any) -> Any:
        """End the connection; no response is started."""
        end_without_answer()


def serve(environ: dict[str, Any], reader: Reader) -> Response:
    """Upgrade the request and serve it until one of the two ends it.

    Raises RequestError when it is not a proper handshake, TooManyStreams, StoreError.
    """
    answer = _handshake(environ)
    with reader.bridge.streams.take(client()):
        _Session(environ[CLIENT_SOCKET], reader).run(answer)
    return UpgradedResponse(status=101)


def _handshake(environ: dict[str, Any]) -> bytes:
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION") != "13":
        raise RequestError(
            "websocket: unsupported version: 13 not found in 'Sec-WebSocket-Version' header"
        )
    key = environ.get("HTTP_SEC_WEBSOCKET_KEY", "").strip()
    if not key:
        raise RequestError(
            "websocket: not a websocket handshake: 'Sec-WebSocket-Key' header is missing or blank"
        )
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + generate_accept_token(key.encode()) + b"\r\n\r\n"
    )


def _gap_frame(gap: Gap) -> bytes:
    return _text_frame(b'{"gap":{"from":%d,"to":%d}}' % (gap.first_seq, gap.last_seq))


def _text_frame(text: bytes) -> bytes:
    """A whole text message, as a server sends it: not masked (RFC 6455, 5.2)."""
    if len(text) < 126:
        return b"\x81%c%s" % (len(text), text)
    if len(text) < 65536:
        return b"\x81\x7e" + struct.pack(">H", len(text)) + text
    return b"\x81\x7f" + struct.pack(">Q", len(text)) + text


class _Allowance:
    """So much at once, and again so much per second."""

    def __init__(self, most: int, per_second: int) -> None:
        self._most = most
        self._per_second = per_second
        self._left = float(most)
        self._at = time.monotonic()

    def take(self, count: int) -> bool:
        """Whether there is so much left; it is taken."""
        now = time.monotonic()
        if self._left < self._most:
            self._left = min(self._left + (now - self._at) * self._per_second, self._most)
        self._at = now
        self._left -= count
        return self._left >= 0

    def give(self, count: int) -> None:
        """So much more, beyond what there is at most: it was asked for."""
        self._left += count


class _Session:
    """One client, from the answered handshake to the end. Lives on the request's thread."""

    def __init__(self, connection: socket.socket, reader: Reader) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)
        self._socket = connection
        self._reader = reader
        self._wire = Connection(ConnectionType.SERVER)
        self._sent = reader.told  # the seq of what has left whole
        self._pinged_at = time.monotonic()
        self._unanswered_since: float | None = None  # when the first ping to be answered had left
        self._frames_left = _Allowance(_MOST_FRAMES, _FRAMES_PER_SECOND)
        self._bytes_left = _Allowance(_MOST_BYTES, _BYTES_PER_SECOND)

    def run(self, answer: bytes) -> None:
        """Send the `answer` to the handshake, then events, until either side ends it or fails.

        A failure is logged; when events cannot be read, the client is told by the code 1011.
        """
        try:
            self._write(answer)
            with self._reader.following() as follower:
                self._serve(follower)
        except _GoneError as gone:
            log.info("a WebSocket client is gone: %s", gone)
        except StoreError as error:
            log.warning("a WebSocket is closed, since events cannot be read: %s", error)
            self._say_goodbye(1011, "events cannot be read")

    def _serve(self, follower: WaitingFollower) -> None:
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        poller.register(follower.fd, select.POLLIN)
        more = True
        while not self._reader.bridge.feed.closing:
            ready = dict(poller.poll(0 if more else self._patience_ms()))
            if follower.fd in ready:
                follower.clear()
            if self._socket.fileno() in ready and not self._hear():
                return
            if more or follower.fd in ready or self._reader.is_waiting_for_database:
                more = self._send_next(follower)
            self._keep_alive()
        self._say_goodbye(CloseReason.GOING_AWAY, "the bridge is stopping")

    # -- to the client -------------------------------------------------------------------------

    def _send_next(self, follower: WaitingFollower) -> bool:
        """The next batch, and a ping that asks how far it got. Whether there may be more."""
        page = self._reader.next(follower, _BATCH)
        if not page.tells:
            return False
        told = b"".join(_text_frame(frame(event)) for event in page)
        self._write_and_ping(self._gap(page.gap) + told)
        self._sent = self._reader.told
        return page.is_full

    def _gap(self, gap: Gap | None) -> bytes:
        """Readers with a cursor of their own know what to do with it; the peer's do not."""
        if gap is None:
            return b""
        log.warning("a WebSocket reader missed events %d to %d", gap.first_seq, gap.last_seq)
        return b"" if self._reader.cursor is not None else _gap_frame(gap)

    def _write_and_ping(self, data: bytes) -> None:
        """The ping behind the data carries the seq of what was told last, and asks for a pong."""
        self._frames_left.give(1)
        self._bytes_left.give(_PONG_BYTES)
        self._write(data + self._wire.send(Ping(payload=str(self._reader.told).encode())))
        self._pinged_at = time.monotonic()
        self._unanswered_since = self._unanswered_since or self._pinged_at

    def _keep_alive(self) -> None:
        now = time.monotonic()
        if now - (self._unanswered_since or now) > _SILENT_SECONDS:
            raise _GoneError("it has not answered several pings")
        if now - self._pinged_at >= PING_EVERY_SECONDS:
            self._write_and_ping(b"")

    def _patience_ms(self) -> float:
        left = PING_EVERY_SECONDS - (time.monotonic() - self._pinged_at)
        return max(0.0, self._reader.patience_seconds(left)) * 1000

    def _write(self, data: bytes) -> None:
        """All of it, in time: who does not read, or next to nothing, is dropped with 1013."""
        rest = memoryview(data)
        deadline = Deadline(_PAUSE_SECONDS + len(data) / _LEAST_BYTES_PER_SECOND)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                if not self._writable_within(min(_PAUSE_SECONDS, deadline.remaining_seconds())):
                    self._drop_slow()
            except OSError as error:
                raise _GoneError(str(error)) from error

    def _writable_within(self, seconds: float) -> bool:
        """False as well when the bridge stops meanwhile."""
        poller = select.poll()
        poller.register(self._socket, select.POLLOUT)
        deadline = Deadline(seconds)
        while not poller.poll(min(_LOOK_SECONDS, deadline.remaining_seconds()) * 1000):
            if deadline.expired() or self._reader.bridge.feed.closing:
                return False
        return True

    def _drop_slow(self) -> None:
        self._say_goodbye(CloseReason.TRY_AGAIN_LATER, f"too slow; go on after={self._sent}")
        raise _GoneError("it does not read")

    def _drop_loud(self) -> None:
        self._say_goodbye(CloseReason.POLICY_VIOLATION, "too much is said")
        raise _GoneError("it says too much")

    def _say_goodbye(self, code: int, reason: str) -> None:
        """The close frame, if it fits: the connection ends either way.

        A client that comes back at once goes on behind what it has read, on any worker.
        """
        self._reader.flush()
        try:
            self._socket.send(self._wire.send(CloseConnection(code, reason)))
        except (OSError, LocalProtocolError) as error:
            log.debug("no close frame could be sent: %s", error)

    # -- from the client -----------------------------------------------------------------------

    def _hear(self) -> bool:
        """Read what the client says. False when it is over."""
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return True
        except OSError as error:
            raise _GoneError(str(error)) from error
        if not data:
            return False
        if not self._bytes_left.take(len(data)):
            self._drop_loud()
        return all(self._answer(event) for event in self._events(data))

    def _events(self, data: bytes) -> Iterator[WireEvent]:
        try:
            self._wire.receive_data(data)
            yield from self._wire.events()
        except RemoteProtocolError as error:
            raise _GoneError(f"it does not speak WebSocket: {error}") from error

    def _answer(self, event: WireEvent) -> bool:
        """False when the client closes. What it has to say otherwise is of no interest."""
        if not self._frames_left.take(1):
            self._drop_loud()
        if isinstance(event, Ping):
            self._write(self._wire.send(event.response()))
        elif isinstance(event, Pong):
            self._note(bytes(event.payload))
        elif isinstance(event, CloseConnection):
            self._say_goodbye(event.code, event.reason or "")
            return False
        return True

    def _note(self, payload: bytes) -> None:
        """A ping of ours that comes back: everything before it was read."""
        if payload.isdigit() and int(payload) <= self._reader.told:
            self._unanswered_since = None
            self._reader.note_arrival(int(payload))
