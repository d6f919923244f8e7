"""Who waits for which id: the one table that callers and the reader thread share."""

from __future__ import annotations

import dataclasses
import itertools
import secrets
import threading
from concurrent.futures import Future

from signal_bridge.errors import BridgeError, ConnectionLost
from signal_bridge.rpc.jsonrpc import Reply, RequestId


@dataclasses.dataclass(frozen=True)
class InFlight:
    """What was being worked on when the connection was lost: a method, and its line's size."""

    method: str
    size_bytes: int


class Waiter:
    """One caller's place in the table, and what it asks for."""

    __slots__ = ("future", "method", "request_id", "size_bytes")

    def __init__(self, request_id: RequestId, method: str) -> None:
        self.request_id = request_id
        self.method = method
        self.size_bytes = 0  # of the line, once it is being written
        self.future: Future[Reply] = Future()


class Pending:
    """The table. All methods may be called from any thread."""

    def __init__(self) -> None:
        # Guards _waiters and _lost_because. Nothing blocks while it is held.
        self._mutex = threading.Lock()
        self._waiters: dict[RequestId, Waiter] = {}
        self._lost_because: str | None = None
        # Ids are strings and differ between connections, so that a reply meant for an earlier
        # connection can never settle a request of this one.
        self._id_prefix = secrets.token_hex(4)
        self._numbers = itertools.count(1)

    def register(self, method: str = "") -> Waiter:
        """A new waiter for the answer of `method`, in the table before its request is written.

        Raises ConnectionLost, with nothing written, when the connection is already gone.
        """
        with self._mutex:
            if self._lost_because is not None:
                raise ConnectionLost(self._lost_because, request_written=False)
            waiter = Waiter(f"{self._id_prefix}-{next(self._numbers)}", method)
            self._waiters[waiter.request_id] = waiter
            return waiter

    def forget(self, waiter: Waiter) -> None:
        """The caller stopped waiting. A reply that comes later finds nobody."""
        with self._mutex:
            self._waiters.pop(waiter.request_id, None)

    def settle(self, reply: Reply) -> bool:
        """Hand a reply to its waiter. False when nobody waits for it (late, doubled, foreign)."""
        with self._mutex:
            waiter = self._waiters.pop(reply.id, None)
        if waiter is None:
            return False
        waiter.future.set_result(reply)
        return True

    def fail(self, request_id: RequestId, error: BridgeError) -> None:
        """One waiter will get no answer. Nothing happens when nobody waits for that id."""
        with self._mutex:
            waiter = self._waiters.pop(request_id, None)
        if waiter is not None:
            waiter.future.set_exception(error)

    def fail_all(self, because: str) -> list[InFlight]:
        """The connection is gone: wake every waiter, and refuse those who come later.

        Who waits for its reply has written its request; who is still writing finds out by that,
        and knows what has left. What is answered had been written, or begun to be.
        """
        with self._mutex:
            self._lost_because = because
            waiters, self._waiters = list(self._waiters.values()), {}
        for waiter in waiters:
            waiter.future.set_exception(ConnectionLost(because, request_written=True))
        return [InFlight(each.method, each.size_bytes) for each in waiters if each.size_bytes]

    def __len__(self) -> int:
        with self._mutex:
            return len(self._waiters)
