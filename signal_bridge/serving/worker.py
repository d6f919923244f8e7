"""The Gunicorn worker: connections wait on its event loop, and requests take turns at its threads.

A connection is on the loop while it is idle, while its request is not here yet, and while that
waits for its turn; a thread has it while it answers. Gunicorn's own gthread reads heads and bodies
on the threads, where a few clients that send nothing hold all of them.

What is used of Gunicorn without its promise stands in gunicorn_parts.py.
"""

from __future__ import annotations

import contextlib
import errno
import sys
import time
from collections.abc import Sequence
from concurrent import futures
from functools import partial
from typing import Any, Final

from gunicorn.http.errors import ConfigurationProblem, ParseException
from gunicorn.workers import gthread

from signal_bridge.clientaddress import Network, client_of
from signal_bridge.gunicorn_parts import UNREADABLE_REQUEST
from signal_bridge.serving import refusals
from signal_bridge.serving.connection import Connection, telling_answers
from signal_bridge.serving.crowd import slowest_of_most
from signal_bridge.serving.descriptors import Spare
from signal_bridge.serving.heads import Fault, Stage
from signal_bridge.serving.lanes import PROBE_THREADS, Lanes
from signal_bridge.serving.lingering import Lingering
from signal_bridge.serving.lobby import Lobby
from signal_bridge.serving.pace import ClientSocket, SlowReaders, Stopping
from signal_bridge.serving.queueing import Queue, Ticket

HEAD_SECONDS: Final = 10.0
"""A head may take so long, and a new connection may say nothing."""

_TURN_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 3.0
_LOOK_EVERY_SECONDS: Final = 0.5
_READ_BYTES: Final = 64 * 1024
_NO_ROOM: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class PromptWorker(gthread.ThreadWorker):  # type: ignore[misc]
    """Gunicorn's gthread, whose threads no client can hold. Its stop waits for requests alone.

    `max_body_bytes` is the largest body that is read at all, `trusted_proxies` are those whose
    X-Forwarded-For is believed.
    """

    max_body_bytes: int = sys.maxsize
    trusted_proxies: Sequence[Network] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_keepalived = sys.maxsize  # room is made when there is none
        self._lobby: Final = Lobby(self._receive)
        self._lanes: Final = Lanes(self.cfg.threads)
        self._queue: Final = Queue(self._lanes.all)
        self._answering: Final[set[Connection]] = set()
        self._stopping: Final = Stopping()
        self._slow_readers: Final = SlowReaders(self._lanes.slow_places)
        self._probes: Any = None
        self._looked_at = 0.0
        self._spare: Final = Spare()
        self._lingering: Final = Lingering(self._lobby, 2 * self.max_body_bytes)

    @classmethod
    def check_config(cls, _cfg: Any, _log: Any) -> None:
        """Gunicorn would say that no connection can be kept alive, which is not so here."""

    def on_stop(self) -> None:
        """Called once, on the main thread, when the worker begins to stop."""

    def init_process(self) -> None:
        """In the process of the worker, for as long as it runs."""
        self._probes = futures.ThreadPoolExecutor(PROBE_THREADS, "probe")
        self._spare.open()
        super().init_process()

    def get_thread_pool(self) -> futures.ThreadPoolExecutor:
        """The threads that answer. Probes have a few of their own."""
        return futures.ThreadPoolExecutor(self.cfg.threads, "request")

    def run(self) -> None:
        """Until it is told to stop, and all are answered."""
        super().run()
        self._probes.shutdown(wait=False)

    def accept(self, listener: Any) -> None:
        """Take a new connection. There is room for it, or some is made."""
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno in _NO_ROOM:
                self._make_room_for_fd(listener)
            elif error.errno == errno.EBADF:
                raise
            return
        peer = address[0] if isinstance(address, tuple) else ""
        owner = client_of(peer, "")
        sock = ClientSocket(accepted, self._slow_readers, self._stopping, owner)
        conn = Connection(self.cfg, sock, address, listener.getsockname(), owner)
        self.nr_conns += 1
        self._wait(conn, HEAD_SECONDS)
        if self.nr_conns >= self.worker_connections:
            self._make_room()

    def _wait(self, conn: Connection, seconds: float) -> None:
        self._lobby.wait(conn, seconds, self.poller)

    def _receive(self, conn: Connection, _sock: Any) -> None:
        if not conn.is_waiting:  # since the loop heard of it, it was closed
            return
        try:
            if conn.is_lingering:
                if self._lingering.discard(conn, self.poller):
                    self._close(conn)
                return
            data = conn.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            self._close(conn)
            return
        if not data:
            self._end_of(conn)
            return
        self._buffer(conn, data)
        self._look(conn)

    def _buffer(self, conn: Connection, data: bytes) -> None:
        now = time.monotonic()
        if conn.reading.head is not None:
            conn.sock.reading_patience.wait(now - conn.received_at)
            conn.sock.reading_patience.move(len(data))
        elif not conn.reading.buffer:
            conn.until = now + HEAD_SECONDS
        conn.received_at = now
        conn.reading.buffer.extend(data)
        self._count(conn)

    def _count(self, conn: Connection) -> None:
        self._lobby.count(conn, len(conn.reading.buffer))
        while self._lobby.is_too_heavy():
            self._make_room_in_memory()

    def _look(self, conn: Connection) -> None:
        """At how much of its request is here."""
        if conn.is_gone:
            return
        found = conn.reading.look(self.max_body_bytes)
        if isinstance(found, Fault):
            self._refuse(conn, refusals.OF_FAULTS[found])
        elif found is Stage.HEAD:
            self._wait(conn, max(0.0, conn.until - time.monotonic()))
        elif found is Stage.BODY:
            self._lobby.call(conn, self._owner_of_request(conn))
            self._wait(conn, conn.sock.reading_patience.left_seconds())
        else:
            self._enqueue(conn, found)

    def _end_of(self, conn: Connection) -> None:
        """It sends no more. Half a body is for a view to refuse, half a head for nobody."""
        if conn.reading.head is None:
            self._close(conn)
        else:
            self._enqueue(conn, Stage.WHOLE)

    # -- requests that are here ----------------------------------------------------------------

    def _enqueue(self, conn: Connection, stage: Stage) -> None:
        self._lobby.leave(conn, self.poller)
        owner = self._owner_of_request(conn)
        self._lobby.call(conn, owner)
        lane = self._lanes.of(conn.reading.head, stage)
        now = time.monotonic()
        ticket = conn.ticket = Ticket(owner, lane, conn, now + _TURN_SECONDS)
        if self._queue.put(ticket):
            self._start(ticket)

    def _owner_of_request(self, conn: Connection) -> str:
        if not self.trusted_proxies or not isinstance(conn.client, tuple):
            return conn.peer
        return client_of(conn.client[0], conn.reading.forwarded_for(), self.trusted_proxies)

    def _start(self, ticket: Ticket) -> None:
        conn = ticket.item
        self._lobby.count(conn, 0)
        self._answering.add(conn)
        if ticket.lane is self._lanes.long:
            conn.inbox.missing_bytes = conn.reading.missing_bytes()
            when_whole = partial(self._body_is_whole, ticket)
            conn.inbox.when_whole = partial(self.method_queue.defer, when_whole)
        conn.is_probed = ticket.lane in self._lanes.probes
        pool = self._probes if conn.is_probed else self.tpool
        answering = pool.submit(self.handle, conn)
        answering.add_done_callback(partial(self._tell_loop, conn))

    def _tell_loop(self, conn: Connection, done: futures.Future[Any]) -> None:
        self.method_queue.defer(self.finish_request, conn, done)

    def _body_is_whole(self, ticket: Ticket) -> None:
        """From now on its request is like any other."""
        ticket.give(self._lanes.long_bodies)
        self._start_next()

    def _start_next(self) -> None:
        for ticket in self._queue.ready():
            self._start(ticket)

    def handle(self, conn: Connection) -> Any:
        """Answer one request."""
        conn.begin_request()
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """A client that waits for it is told to send its body when that is wanted, and not before.

        Gunicorn would say so of any body, and not wait to write.
        """
        conn.inbox.is_waited_for = req._expected_100_continue
        req._expected_100_continue = False
        return super().handle_request(req, conn)

    def load_wsgi(self) -> None:
        """The application, whose answers are known when they begin."""
        super().load_wsgi()
        self.wsgi: Any = telling_answers(self.wsgi)

    def _keepalive_after(self, conn: Connection, keepalive: Any) -> bool:
        """Whoever was cut off meanwhile has no next request."""
        return bool(keepalive) and not conn.sock.is_cut and super()._keepalive_after(conn, True)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a head that cannot be read as every failure is, and name the limit that it broke.

        Gunicorn's own answer is HTML that quotes what it read.
        """
        if not isinstance(exc, ParseException) or isinstance(exc, ConfigurationProblem):
            super().handle_error(req, client, addr, exc)
        else:
            self._tell(client, addr, refusals.of_parser(exc, self.cfg))

    def _tell(self, client: Any, addr: Any, refusal: refusals.Refusal) -> None:
        request_id = refusals.new_request_id()
        host = addr[0] if isinstance(addr, tuple) else ""
        self.log.warning(f"{UNREADABLE_REQUEST}{host} {request_id} {refusal.code}")
        with contextlib.suppress(OSError):
            client.send(refusal.answer(request_id))

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """Look for the next request of the connection: it may have come with this one."""
        self._answering.discard(conn)
        if conn.ticket is not None:
            conn.ticket.give()
        conn.ticket = None
        keeps = not fs.cancelled() and fs.exception() is None and fs.result() is True
        if keeps and self.alive:
            self._begin_next(conn)
        else:
            self._linger(conn)
        self._start_next()

    def _begin_next(self, conn: Connection) -> None:
        conn.end_request()
        self._lobby.call(conn, conn.peer)
        if not conn.reading.buffer:
            self._wait(conn, self.cfg.keepalive)
            return
        conn.received_at = time.monotonic()
        self._wait(conn, HEAD_SECONDS)
        self._count(conn)
        self._look(conn)

    def _refuse(self, conn: Connection, refusal: refusals.Refusal) -> None:
        """Answer on the loop. What fits into the connection at once arrives."""
        self._tell(conn.sock, conn.client, refusal)
        self._linger(conn)

    def _linger(self, conn: Connection) -> None:
        """Close it when the client has, or soon (lingering.py)."""
        try:
            self._lingering.begin(conn, self.poller, is_stopping=not self.alive)
        except OSError:
            self._close(conn)

    def _close(self, conn: Connection) -> None:
        self._lobby.leave(conn, self.poller)
        conn.is_gone = True
        self._lobby.count(conn, 0)
        self.nr_conns -= 1
        conn.close()

    # -- when there is no room, or no time -----------------------------------------------------

    def _make_room(self) -> bool:
        """Of the client with the most that wait, close one: for more to come, or for their turn."""
        idle, queued = self._lobby.first_to_go(), self._queue.first_to_go()
        idle_count = self._lobby.count_of(idle.owner) if idle else 0
        if queued is not None and self._queue.count_of(queued.client) > idle_count:
            self._queue.withdraw(queued)
            self._tell(queued.item.sock, queued.item.client, self._refusal_of_turn(queued))
            self._close(queued.item)
        elif idle is not None:
            self._close(idle)
        return idle is not None or queued is not None

    def _make_room_for_fd(self, listener: Any) -> None:
        """So that a connection can be accepted. If none waits, that one is closed itself."""
        if self._make_room():
            return
        self._spare.refuse_one(listener)

    def _make_room_in_memory(self) -> None:
        """Of the client with the most in memory, one goes; there is some."""
        client = self._lobby.heaviest()
        conn = self._lobby.heavy_of(client)
        if conn is not None:
            self._close(conn)
            return
        ticket = next(one for one in self._queue.waiting_of(client) if one.item.counted_bytes)
        self._queue.withdraw(ticket)
        self._turn_away(ticket)

    def _turn_away(self, ticket: Ticket) -> None:
        """Its request does not get its turn."""
        refusal = self._refusal_of_turn(ticket)
        ticket.item.ticket = None
        self._refuse(ticket.item, refusal)

    def _refusal_of_turn(self, ticket: Ticket) -> refusals.Refusal:
        return refusals.TOO_MANY if ticket.is_held_by_its_client() else refusals.TOO_BUSY

    def murder_keepalived(self) -> None:
        """End what has waited for too long. Called after every wait of the loop."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY_SECONDS:
            return
        self._looked_at = now
        for conn in self._lobby.late(now):
            self._give_up(conn)
        for ticket in self._queue.late(now):
            self._turn_away(ticket)
        if any(ticket.lane is self._lanes.long for ticket in self._queue.waiting()):
            self._cut_slowest_body()

    def murder_pending(self) -> None:
        """Nothing: for a connection there is one kind of waiting."""

    def _give_up(self, conn: Connection) -> None:
        if conn.is_lingering or not (conn.reading.buffer or conn.reading.head):
            self._close(conn)
        elif conn.reading.head is None:
            self._refuse(conn, refusals.LATE_HEAD)
        else:
            self._refuse(conn, refusals.SLOW_BODY)

    def _cut_slowest_body(self) -> None:
        """Another long body waits for its turn: a slow one of the client with the most ends."""
        slow = [
            conn
            for conn in self._answering
            if conn.ticket is not None
            and conn.ticket.holds(self._lanes.long_bodies)
            and conn.sock.reading_patience.is_slow()
        ]
        if slow:
            slowest = slowest_of_most(slow, _reading_speed)
            slowest.sock.is_cut = True

    def set_accept_enabled(self, enabled: bool) -> None:
        """At the end, close what waits; what is here whole is answered."""
        super().set_accept_enabled(enabled)
        if not self.alive:  # once, at the beginning of the stop
            self.on_stop()
            self._stopping.begin()
            self.wait_for_and_dispatch_events(timeout=0)  # a request that is here is served
            for conn in self._lobby.all():
                self._close(conn)
            soon = time.monotonic() + _STOP_SECONDS
            for ticket in self._queue.waiting():
                ticket.until = min(ticket.until, soon)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """As Gunicorn, and never for long: something else may have come to its end."""
        self._lingering.begin_turn()
        super().wait_for_and_dispatch_events(min(timeout, 1.0))


def _reading_speed(conn: Connection) -> tuple[str, float]:
    return conn.owner, conn.sock.reading_patience.bytes_per_second()
