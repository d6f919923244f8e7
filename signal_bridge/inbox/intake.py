"""Where received messages enter: from the reader thread straight to disk.

The reader reads nothing more until the batch in hand is committed. If it cannot be (disk full,
database locked), intake keeps trying: the socket fills up, signal-cli stops, and keeps the rest.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from signal_bridge.clock import backoff_seconds, pause
from signal_bridge.errors import StoreError
from signal_bridge.inbox.envelope import arrival_of
from signal_bridge.inbox.store import Inbox

log = logging.getLogger(__name__)

_FIRST_RETRY_SECONDS: Final = 0.1
_LONGEST_RETRY_SECONDS: Final = 5.0


class Intake:
    """Commits what arrives. `report(error)` is told of each failed attempt, and None on recovery.

    `stop` ends the attempts: then the batch in hand is lost with the process.
    """

    def __init__(
        self,
        inbox: Inbox,
        stop: threading.Event,
        report: Callable[[StoreError | None], None],
    ) -> None:
        self._inbox = inbox
        self._stop = stop
        self._report = report

    def accept(self, params: Sequence[Any]) -> None:
        """Commit the params of `receive` notifications, in order. Runs on the reader thread.

        Raises StoreError only when told to stop before the store could be written.
        """
        arrivals = [arrival_of(one) for one in params]
        attempt = 0
        while True:
            try:
                new = self._inbox.append(arrivals)
            except StoreError as error:
                attempt += 1
                self._wait_out(error, attempt)
            else:
                break
        if attempt:
            self._report(None)
        if new < len(arrivals):
            log.info("%d messages were delivered again and are kept once", len(arrivals) - new)

    def _wait_out(self, error: StoreError, attempt: int) -> None:
        log.error("receiving waits, since events cannot be stored: %s", error)
        self._report(error)
        if pause(
            backoff_seconds(attempt, _FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS), self._stop
        ):
            raise error
