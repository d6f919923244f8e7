"""Connections that follow one script: one thread, one selector, and only what is due is done."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import selectors
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

from bench.attacks.script import Script

# An address of loopback that no honest client has.
HOSTILE_ADDRESS = "127.0.0.66"
_BETWEEN_CONNECTS_SECONDS = 0.002  # so that a crowd is no flood of connects, which is one by itself
_LOOK_SECONDS = 0.1  # how late a stop may be noticed
_RESET = struct.pack("ii", 1, 0)


class Crowd:
    """So many connections to a port of 127.0.0.1, from one address. `run` until `stop`.

    `opened` counts connections that came about, `cut` those that the other side ended, `failed`
    those that never came about, `answered` those that got any byte.
    """

    def __init__(
        self, port: int, script: Script, connections: int, source: str = HOSTILE_ADDRESS
    ) -> None:
        self.script = script
        self.opened = self.cut = self.failed = self.answered = 0
        self._to = ("127.0.0.1", port)
        self._source = source
        self._clients = [_Client(self) for _ in range(connections)]
        self._numbers = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._stopping = threading.Event()
        self._all_tried = threading.Event()

    def run(self) -> None:
        """Until `stop`. Nothing is left open."""
        for place, client in enumerate(self._clients):
            self.later(place * _BETWEEN_CONNECTS_SECONDS, client.connect)
        self.later(len(self._clients) * _BETWEEN_CONNECTS_SECONDS, self._all_tried.set)
        try:
            while not self._stopping.is_set():
                self._turn()
        finally:
            for client in self._clients:
                client.leave()
            self._selector.close()

    def stop(self) -> None:
        """From any thread."""
        self._stopping.set()

    def wait_until_there(self, seconds: float = 30.0) -> None:
        """Until each connection was tried once."""
        if not self._all_tried.wait(seconds):
            raise TimeoutError("the crowd did not come about")

    def held(self) -> int:
        """How many are open now."""
        return sum(client.is_open for client in self._clients)

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), work))

    def new_socket(self) -> socket.socket:
        """On its way to the bridge."""
        new = socket.socket()
        new.setblocking(False)
        if self.script.receive_buffer_bytes:
            new.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.script.receive_buffer_bytes)
        new.bind((self._source, 0))
        new.connect_ex(self._to)
        return new

    def next_opening(self) -> bytes:
        return self.script.opening(next(self._numbers))

    def watch(self, client: _Client, sock: socket.socket, events: int) -> None:
        """Tell the client of these events from now on, and of no others."""
        known = sock.fileno() in self._selector.get_map()
        if events and known:
            self._selector.modify(sock, events, client)
        elif events:
            self._selector.register(sock, events, client)
        elif known:
            self._selector.unregister(sock)

    def _turn(self) -> None:
        while self._due and self._due[0][0] <= time.monotonic():
            heapq.heappop(self._due)[2]()
        until_next = self._due[0][0] - time.monotonic() if self._due else _LOOK_SECONDS
        for key, events in self._selector.select(max(0.0, min(until_next, _LOOK_SECONDS))):
            key.data.on(events)


class _Client:
    """One place in the crowd, whose connection is made anew whenever it has ended."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._script = crowd.script
        self._socket: socket.socket | None = None
        self._life = 0  # of this place's connections; what was planned for an earlier one is void
        self._is_new = False
        self._is_answered = False
        self._unsent = memoryview(b"")

    @property
    def is_open(self) -> bool:
        return self._socket is not None and not self._is_new

    def connect(self) -> None:
        self._life += 1
        self._is_new, self._is_answered = True, False
        self._unsent = memoryview(self._crowd.next_opening())
        self._socket = self._crowd.new_socket()
        self._crowd.watch(self, self._socket, selectors.EVENT_WRITE)

    def on(self, events: int) -> None:
        """The kernel says so."""
        if self._is_new and not self._is_connected():
            return
        if events & selectors.EVENT_WRITE:
            self._write()
        if events & selectors.EVENT_READ and self._socket:
            self._take()

    def leave(self) -> None:
        """Close, as the script says; there may be nothing to close."""
        if self._socket is None:
            return
        self._crowd.watch(self, self._socket, 0)
        if self._script.ends_with_reset:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._socket.close()
        self._socket = None
        self._unsent = memoryview(b"")

    def _is_connected(self) -> bool:
        assert self._socket
        if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._crowd.failed += 1
            self._come_back()
            return False
        self._is_new = False
        self._crowd.opened += 1
        self._plan(self._script.lives_seconds, self._come_back)
        if self._script.drip:
            self._plan(self._script.drip_seconds, self._drip)
        if self._script.takes_seconds:
            self._plan(self._script.takes_seconds, self._sip)
        return True

    def _plan(self, seconds: float, work: Callable[[], None]) -> None:
        """For this connection only."""
        if seconds == float("inf"):
            return
        life = self._life

        def if_it_lives() -> None:
            if self._socket is not None and self._life == life:
                work()

        self._crowd.later(seconds, if_it_lives)

    def _come_back(self) -> None:
        self.leave()
        self._crowd.later(self._script.rest_seconds, self.connect)

    def _drip(self) -> None:
        if not self._unsent:
            self._unsent = memoryview(self._script.drip)
            self._write()
        self._plan(self._script.drip_seconds, self._drip)

    def _sip(self) -> None:
        self._take()
        self._plan(self._script.takes_seconds, self._sip)

    def _write(self) -> None:
        assert self._socket
        try:
            while self._unsent:
                self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._was_cut()
            return
        reads = 0 if self._script.takes_seconds else selectors.EVENT_READ
        self._crowd.watch(
            self, self._socket, reads | (selectors.EVENT_WRITE if self._unsent else 0)
        )

    def _take(self) -> None:
        assert self._socket
        try:
            taken = self._socket.recv(self._script.takes_bytes)
        except BlockingIOError:
            return
        except OSError:
            taken = b""
        if not taken:
            self._was_cut()
        elif not self._is_answered:
            self._is_answered = True
            self._crowd.answered += 1

    def _was_cut(self) -> None:
        self._crowd.cut += 1
        self._come_back()


@contextlib.contextmanager
def gathered(crowd: Crowd) -> Iterator[Crowd]:
    """The crowd at work on a thread of its own, for the length of a block."""
    thread = threading.Thread(target=crowd.run, name="crowd")
    thread.start()
    try:
        crowd.wait_until_there()
        yield crowd
    finally:
        crowd.stop()
        thread.join()
