"""How many large calls signal-cli works on at once: as many as its memory has room for.

Its heap is one for all, and a call that does not fit ends it, with everybody else's calls. So each
connection has a share of what there is. A call that finds it taken waits; small ones never do.
"""

from __future__ import annotations

import threading
from typing import Final

from signal_bridge.clock import Deadline
from signal_bridge.errors import CallTooLarge, DaemonBusy
from signal_bridge.rpc.jsonrpc import Params, RequestId
from signal_bridge.rpc.lines import BUDGET_BYTES, COST_OF_BYTE, check, cost_bytes

# Those of all threads of a worker together take less than one that is large.
_SMALL_BYTES: Final = 256 * 1024
# Who waits holds a thread and its request, so few may, and not for long.
_MOST_WAITING: Final = 8
_LONGEST_WAIT_SECONDS: Final = 10.0


class Admission:
    """One connection's, of `workers` that have one each. Safe from any thread."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._share_bytes = BUDGET_BYTES // workers
        # Guards what follows; notified whenever something is given back.
        self._changed = threading.Condition()
        # What each call takes that signal-cli works on, or may work on still, by its id.
        self._taken: dict[RequestId, int] = {}
        self._waiting = 0

    def admit(
        self, request_id: RequestId, line: bytes, params: Params | None, deadline: Deadline
    ) -> None:
        """Return once this line may be written. What it takes is to be given back.

        Raises CallTooLarge, RequestError (it can never be read) or DaemonBusy (it has no room now).
        """
        check(line, params)
        cost = cost_bytes(line)
        if cost <= _SMALL_BYTES:
            return
        if cost > self._share_bytes:
            raise CallTooLarge(
                f"This is more than signal-cli can read at once for each of {self._workers} "
                f"workers (BRIDGE_WORKERS): {self._share_bytes // COST_OF_BYTE} bytes of text, "
                f"or less of anything else"
            )
        with self._changed:
            self._wait_for_room(cost, deadline.at_most(_LONGEST_WAIT_SECONDS))
            self._taken[request_id] = cost

    def give_back(self, request_id: RequestId) -> None:
        """The call was answered, or not written. Nothing happens to one that took nothing."""
        if request_id not in self._taken:
            return
        with self._changed:
            self._taken.pop(request_id, None)
            self._changed.notify_all()

    def give_all_back(self) -> None:
        """The connection has ended: whoever waits finds that out."""
        with self._changed:
            self._taken.clear()
            self._changed.notify_all()

    def _wait_for_room(self, cost: int, deadline: Deadline) -> None:
        if self._has_room(cost):
            return
        if self._waiting >= _MOST_WAITING:
            raise DaemonBusy
        self._waiting += 1
        try:
            seconds = deadline.remaining_seconds()
            if not self._changed.wait_for(lambda: self._has_room(cost), seconds):
                raise DaemonBusy
        finally:
            self._waiting -= 1

    def _has_room(self, cost: int) -> bool:
        return sum(self._taken.values()) + cost <= self._share_bytes
