"""Where received messages enter: from the reader thread straight to disk.

The reader reads nothing more until the batch in hand is committed. If it cannot be (disk full,
database locked), intake keeps trying: the socket fills up, signal-cli stops, and keeps the rest.
What the database refuses for good would stop it for good: that is kept as an event of kind
`error`, whole, and the rest goes on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from signal_bridge.clock import backoff_seconds, pause
from signal_bridge.errors import StoreError, StoreRefused
from signal_bridge.feed.envelope import arrival_of, error_in_place_of
from signal_bridge.feed.event import Arrival
from signal_bridge.feed.feed import Feed

log = logging.getLogger(__name__)

_FIRST_RETRY_SECONDS: Final = 0.1
_LONGEST_RETRY_SECONDS: Final = 5.0


class Intake:
    """Commits what arrives. `report(error)` is told of each failed attempt, and None on recovery.

    `stop` ends the attempts: then the batch in hand is lost with the process.
    """

    def __init__(
        self,
        feed: Feed,
        stop: threading.Event,
        report: Callable[[StoreError | None], None],
    ) -> None:
        self._feed = feed
        self._stop = stop
        self._report = report

    def accept(self, params: Sequence[Any]) -> None:
        """Commit the params of `receive` notifications, in order. Runs on the reader thread.

        Raises StoreError only when told to stop before the store could be written.
        """
        arrivals = [arrival_of(one) for one in params]
        new = self._keep(arrivals)
        if new < len(arrivals):
            log.info("%d messages were delivered again and are kept once", len(arrivals) - new)

    def _keep(self, arrivals: Sequence[Arrival]) -> int:
        """How many of them were new."""
        attempt = 0
        while True:
            try:
                new = self._feed.append(arrivals)
            except StoreRefused as error:
                return self._keep_apart(arrivals, error)
            except StoreError as error:
                attempt += 1
                self._wait_out(error, attempt)
            else:
                break
        if attempt:
            self._report(None)
        return new

    def _keep_apart(self, arrivals: Sequence[Arrival], error: StoreRefused) -> int:
        """One of them is refused for good: the others are kept as they are, that one as it can."""
        if len(arrivals) > 1:
            return sum(self._keep([one]) for one in arrivals)
        log.error("an event is kept as an error, since it cannot be stored as it is: %s", error)
        return self._keep([error_in_place_of(arrivals[0])])

    def _wait_out(self, error: StoreError, attempt: int) -> None:
        log.error("receiving waits, since events cannot be stored: %s", error)
        self._report(error)
        if pause(
            backoff_seconds(attempt, _FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS), self._stop
        ):
            raise error
