"""One connection to signal-cli, shared by any number of calling threads.

A call travels so:

    caller                          reader thread
    ──────                          ─────────────
    Pending.register  (a place)
    Admission.admit   (room in signal-cli's memory, if the line is not small)
    Writer: one line ────────────►  … signal-cli works, in any order …
    wait on the place               LineBuffer.feed ◄──────── bytes
        ◄─────────────────────────  Pending.settle(reply)
    Pending.forget, if it failed    on_notices(batch) for what was not asked for

A connection lives once. When it is lost every waiter is woken with ConnectionLost, and whoever
needs another makes another: this module never reconnects and never repeats.
"""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final

from signal_bridge.clock import Deadline
from signal_bridge.errors import (
    BridgeError,
    CallTimedOut,
    ConnectionLost,
    DaemonError,
    DaemonUnavailable,
    NonsenseReply,
)
from signal_bridge.rpc.admission import Admission
from signal_bridge.rpc.framing import MAX_LINE_BYTES, LineBuffer, Overlong
from signal_bridge.rpc.jsonrpc import (
    Lost,
    Nonsense,
    Notice,
    Params,
    Reply,
    RequestId,
    decode_line,
    encode_request,
    lost_line,
)
from signal_bridge.rpc.lines import HARMLESS_BYTES
from signal_bridge.rpc.pending import InFlight, Pending

log = logging.getLogger(__name__)

_READ_BYTES: Final = 256 * 1024

NoticeHandler = Callable[[Sequence[Notice | Lost]], None]
# Told, once, what was in flight when the connection was lost, on the thread that found that out.
LossHandler = Callable[[Sequence[InFlight]], None]


def _ignore(_notices: Sequence[Notice | Lost]) -> None:
    """A connection that only calls is not subscribed to anything."""


def _let_it_be(_in_flight: Sequence[InFlight]) -> None:
    """Who waits is told in any case."""


def connect(address: str, deadline: Deadline) -> socket.socket:
    """A connected socket to `unix:/path` or `tcp:host:port`.

    Raises DaemonUnavailable when nobody listens there or the deadline passes.
    """
    kind, _, place = address.partition(":")
    host, _, port = place.rpartition(":")
    try:
        seconds = max(deadline.remaining_seconds(), 0.001)
        if kind == "unix":
            return _connect_unix(place, seconds)
        connection = socket.create_connection((host.strip("[]"), int(port)), timeout=seconds)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (OSError, UnicodeError) as error:  # UnicodeError: a host no name server can know
        raise DaemonUnavailable(f"signal-cli cannot be reached: {error}") from error
    return connection


def _connect_unix(path: str, seconds: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection


class Client:
    """A multiplexed JSON-RPC connection over a connected stream socket.

    `lost`: whether it has ended; it never comes back.

    Owns the socket and one thread named `rpc-reader:<name>`. `on_notices` is called on that
    thread with the notifications that arrived together, those that cannot be read among them; the
    next bytes are read only after it returned, so a handler that stores them makes signal-cli wait
    for the disk. An exception from the handler ends the connection: what was not handled must not
    be read past. Of lines that are not small `admission` is asked; without one all are written.

    `on_lost` must not raise.

    Raises DaemonUnavailable, with the socket closed, when the system has no thread left.
    """

    def __init__(
        self,
        connection: socket.socket,
        name: str,
        on_notices: NoticeHandler = _ignore,
        max_line_bytes: int = MAX_LINE_BYTES,
        admission: Admission | None = None,
        on_lost: LossHandler = _let_it_be,
    ) -> None:
        connection.setblocking(True)  # connecting had a time limit; reading has none
        self._socket = connection
        self._is_tcp = connection.family in (socket.AF_INET, socket.AF_INET6)
        self._on_notices = on_notices
        self._buffer = LineBuffer(max_line_bytes)
        self._pending = Pending()
        self._admission = admission
        self._on_lost = on_lost
        # Serialises lines on the wire: whoever holds it is the only one that writes.
        self._writing = threading.Lock()
        self.lost = False
        self._lost = threading.Event()
        self._lost_because = ""  # written before the two others say so
        # Complaints already logged, so that a daemon that babbles fills no disk. Reader only.
        self._complaints: set[str] = set()
        self._reader = threading.Thread(target=self._read, name=f"rpc-reader:{name}", daemon=True)
        self._start_reading()

    @property
    def lost_because(self) -> str:
        """Why the connection has ended, in a sentence; empty while it has not."""
        return self._lost_because

    def wait_until_lost(self, seconds: float) -> bool:
        """Wait up to `seconds` for the connection to end. True if it has."""
        return self._lost.wait(seconds)

    def call(self, method: str, params: Params | None, deadline: Deadline) -> Reply:
        """Ask for `method` and wait for its reply, which may be a refusal.

        Raises ConnectionLost, CallTimedOut (each says whether the request was written),
        NonsenseReply, TypeError (the parameters are not JSON), RequestError (signal-cli cannot
        read them) or DaemonBusy (not now). Safe from any thread but the reader's.
        """
        waiter = self._pending.register(method)
        try:
            line = encode_request(waiter.request_id, method, params)
            if len(line) > HARMLESS_BYTES and self._admission is not None:
                self._admission.admit(waiter.request_id, line, params, deadline)
            waiter.size_bytes = len(line)
            self._write(line, deadline)
            return self._await(waiter.future, method, deadline)
        except BaseException as error:
            self._pending.forget(waiter)
            if isinstance(error, DaemonError) and not error.request_written:
                self._give_back(waiter.request_id)
            raise

    def close(self) -> None:
        """End the connection and its thread. Waiters are woken with ConnectionLost."""
        self._end("the connection to signal-cli was closed")
        if threading.current_thread() is not self._reader:
            self._reader.join(timeout=5)

    def _start_reading(self) -> None:
        try:
            self._reader.start()
        except RuntimeError as error:
            self._socket.close()
            raise DaemonUnavailable(f"signal-cli cannot be asked now: {error}") from error

    # -- the caller's side ---------------------------------------------------------------------

    def _await(self, future: Future[Reply], method: str, deadline: Deadline) -> Reply:
        try:
            return future.result(timeout=deadline.remaining_seconds())
        except TimeoutError:
            raise CallTimedOut(
                f"signal-cli did not answer {method} in time; "
                f"whether it was carried out is unknown",
                request_written=True,
            ) from None

    def _write(self, line: bytes, deadline: Deadline) -> None:
        """Put one whole line on the wire, or raise with the connection in a known state."""
        if not (self._writing.acquire(blocking=False) or self._acquire_within(deadline)):
            raise CallTimedOut("signal-cli does not read its requests", request_written=False)
        try:
            self._send(memoryview(line), deadline)
        finally:
            self._writing.release()

    def _acquire_within(self, deadline: Deadline) -> bool:
        return self._writing.acquire(timeout=deadline.remaining_seconds())

    def _send(self, rest: memoryview, deadline: Deadline) -> None:
        """Write it all. A line cut off by the deadline spoils the wire: the connection ends."""
        begun = False
        while rest:
            try:
                sent = self._socket.send(rest, socket.MSG_DONTWAIT)
            except BlockingIOError:
                self._wait_writable(begun, deadline)
                continue
            except OSError as error:
                self._end(f"the connection to signal-cli was lost: {error}")
                raise ConnectionLost(str(error), request_written=begun) from error
            begun, rest = True, rest[sent:]

    def _wait_writable(self, begun: bool, deadline: Deadline) -> None:
        if self._writable_within(deadline.remaining_seconds()):
            return
        if begun:
            self._end("signal-cli stopped reading in the middle of a request")
        # All but the line feed may be out, and signal-cli takes the end for one.
        raise CallTimedOut("signal-cli does not read its requests", request_written=begun)

    def _writable_within(self, seconds: float) -> bool:
        # poll, not select: file descriptors above 1023 are common under load.
        poller = select.poll()
        try:
            poller.register(self._socket, select.POLLOUT)
        except ValueError:  # closed meanwhile; the next send says so
            return True
        return bool(poller.poll(seconds * 1000))

    # -- the reader's side: runs on rpc-reader:<name> ------------------------------------------

    def _read(self) -> None:
        """Until the connection ends: parse, hand over, nothing else."""
        because = "the connection to signal-cli was lost"
        try:
            self._read_until_end()
        except BridgeError as error:
            because = str(error)
        except Exception as error:
            # Whatever a handler raises: its notices are not stored, so nothing may follow them.
            because = f"what signal-cli sent could not be handled ({type(error).__name__})"
            log.exception("handling what signal-cli sent failed; the connection is closed")
        finally:
            self._end(because)
            self._socket.close()

    def _read_until_end(self) -> None:
        while chunk := self._receive():
            self._take(self._buffer.feed(chunk))

    def _receive(self) -> bytes:
        """The next bytes, none at the end. Raises ConnectionLost."""
        try:
            # Waits without a limit; _end wakes it by shutting the socket down.
            chunk = self._socket.recv(_READ_BYTES)
        except OSError as error:
            text = f"the connection to signal-cli was lost: {error}"
            raise ConnectionLost(text, request_written=False) from error
        self._quick_ack()
        return chunk

    def _take(self, lines: Sequence[bytes | Overlong]) -> None:
        notices = []
        for line in lines:
            arrived = (
                lost_line(f"a line of {line.size_bytes} bytes, longer than allowed", line.edges)
                if isinstance(line, Overlong)
                else decode_line(line)
            )
            if isinstance(arrived, Reply):
                self._settle(arrived)
            elif isinstance(arrived, (Notice, Lost)):
                notices.append(arrived)
            else:
                self._puzzle_over(arrived)
        if notices:
            self._on_notices(notices)

    def _settle(self, reply: Reply) -> None:
        self._give_back(reply.id)
        if not self._pending.settle(reply):
            self._complain("a reply that nobody waits for (late, doubled or foreign)")

    def _puzzle_over(self, nonsense: Nonsense) -> None:
        self._complain(nonsense.why)
        if nonsense.id is not None:
            text = "signal-cli's answer makes no sense; whether it did what was asked is unknown"
            self._give_back(nonsense.id)
            self._pending.fail(nonsense.id, NonsenseReply(text))

    def _give_back(self, request_id: RequestId) -> None:
        """What a call took of signal-cli's memory. Late answers count: until then it has it."""
        if self._admission is not None:
            self._admission.give_back(request_id)

    def _complain(self, why: str) -> None:
        if why in self._complaints or len(self._complaints) >= 100:
            return
        self._complaints.add(why)
        log.warning("signal-cli sent %s; it is ignored, and so are its like, silently", why)

    def _quick_ack(self) -> None:
        """Acknowledge at once: delayed ACK costs 44 ms a reply (signal-cli.rst 1.5).

        The kernel forgets the option, so it is set after every read.
        """
        if self._is_tcp:
            # A connection that has just ended takes no option, and the next read says so.
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _end(self, because: str) -> None:
        """Wake the waiters and the reader. Shutting down wakes a blocked read; closing does not."""
        if self._lost.is_set():
            return
        # First nothing can be written any more, then everybody learns of it.
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            log.debug("the socket was already down")
        self._lost_because, self.lost = because, True
        self._lost.set()
        in_flight = self._pending.fail_all(because)
        if self._admission is not None:
            self._admission.give_all_back()
        if in_flight:
            self._on_lost(in_flight)
